/**
 * The browser SDK of Heliograph. `import SDK from "@heliograph/sdk"`, or from a node's `/sdk/heliograph.js`:
 *
 *     await SDK.initializeSDK({ apiBaseUrl, licenseKey, isTrialLicenseKey: true, callbackListeners });
 *     const { data } = await SDK.register("ada");
 *     await SDK.connect(data.username, data.password);
 */
import { HeliographSDK } from "./sdk";

/** The page's SDK. `new HeliographSDK()` gives a further one, for a further user. */
export const SDK = new HeliographSDK();
export default SDK;

export { HeliographSDK };
export { HeliographError, type ErrorData } from "./errors";
export type { RegisterOptions } from "./accounts";
export type { ProgressCallback, Response } from "./api";
export type * from "./events";
export type { Image, ProfileChange, ProfileOptions } from "./profiles";
export type { DialogMessages, QrAsk } from "./check-code-dialog";
export type { Logo, QrLook } from "./qr-canvas";
export type { QrLogin, QrOptions, QrResult, QrState } from "./qr-login";
export type { ApproveOptions, QrRequest } from "./qr-phone";
export type { QrStateName } from "./qr-states";
export type { ReconnectPolicy } from "./reconnect";
export type { InitializeOptions } from "./runtime";
export type { ConnectionStatus } from "./states";
export type { ContactBody as Contact, OwnProfileBody as OwnProfile, SessionBody as Session } from "./wire";
export type * from "./wire";
