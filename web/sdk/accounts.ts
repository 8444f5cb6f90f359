/** Register, connect, log out, delete. */
import type { Response } from "./api";
import { failure } from "./errors";
import type { Runtime } from "./runtime";
import type { DeletionData, MetaData, RegisterData, RegisterRequest } from "./wire";

/** The second form of `register`'s arguments. */
export interface RegisterOptions {
  /** At the session cap, end the least recently active session (`true`, if nothing is said) or fail (`false`). */
  forceRegister?: boolean;
  /** The id of the session that makes room, whether or not the cap is reached. */
  replaceSession?: string;
  registerMetaData?: MetaData;
}

export async function register(
  runtime: Runtime,
  userIdentifier: string,
  { forceRegister = true, replaceSession, registerMetaData }: RegisterOptions,
): Promise<Response<RegisterData>> {
  const { link, tokens, config } = runtime;
  if (link.userJid !== null && link.userJid !== `${userIdentifier}@${config.domain}`) throw failure("already_connected");
  const body: RegisterRequest = {
    userIdentifier,
    forceRegister,
    device: runtime.device,
    ...(replaceSession !== undefined && { replaceSession }),
    ...(registerMetaData !== undefined && { registerMetaData }),
  };
  const response = await runtime.api.call<RegisterData>("POST", "/register", { body, bearer: tokens.assertion });
  tokens.registered(response.data);
  runtime.username = response.data.username;
  return response;
}

export async function connect(runtime: Runtime, username: string, password: string): Promise<Response> {
  if (!username || !password) throw failure("authentication_failed");
  await runtime.link.connect({ username, domain: runtime.config.domain, password });
  runtime.username = username;
  runtime.tokens.connected(username, password);
  return { statusCode: 200, message: "Login Success" };
}

export async function logOut(runtime: Runtime): Promise<Response> {
  const response = await runtime.tokens.call("DELETE", "/sessions/current");
  runtime.logOut("logout");
  return response;
}

export async function deleteAccount(
  runtime: Runtime,
  reason: string,
  feedback: string,
): Promise<Response<DeletionData>> {
  const response = await runtime.tokens.call<DeletionData>("DELETE", "/account", { reason, feedback });
  runtime.logOut("account_deleted");
  return response;
}
