// What a page does that was written after the vendor's documentation alone: its names, its argument order, its order of
// calls. Only the import and the addresses are ours.
export async function run(SDK, { apiBaseUrl, licenseKey }, picture) {
  const told = { connection: [], profile: [] };
  const connectionListener = (response) => told.connection.push(response.status);
  const userProfileListener = (response) => told.profile.push(response);

  await SDK.initializeSDK({
    apiBaseUrl,
    licenseKey,
    isTrialLicenseKey: true,
    callbackListeners: { connectionListener, userProfileListener, messageStatusListener() {} },
  });

  const registered = await SDK.register("123456789", true, { team: "blue", seats: 3, beta: true });
  const { username, password, isProfileUpdated, isSandbox, userJid } = registered.data;
  await SDK.setUserToken(registered.data.token);
  const connected = await SDK.connect(username, password);

  const byUrl = await SDK.setUserProfile("Name", "https://domain.example/path/image.png", "status", "1111111111", "email@domain.com");
  const byFile = await SDK.setUserProfile("Name", picture, "status", "1111111111", "email@domain.com");
  for (let waited = 0; told.profile.length < 2 && waited < 100; waited += 1) await new Promise((go) => setTimeout(go, 50));
  return { registered, connected, byUrl, byFile, told, username, password, isProfileUpdated, isSandbox, userJid };
}

export async function signInByCode(SDK, { apiBaseUrl, licenseKey }, signalServerUrl) {
  await SDK.initializeSDK({ apiBaseUrl, licenseKey, isTrialLicenseKey: true, callbackListeners: {} });
  document.body.innerHTML = '<canvas id="canvas" width="280" height="280"></canvas>';
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  canvas.id = "logo";
  document.body.append(canvas);
  window.response = new Promise((resolve) => {
    window.started = SDK.generateQrCode(document.getElementById("canvas"), document.getElementById("logo"), signalServerUrl, resolve);
  });
  await window.started;
}
