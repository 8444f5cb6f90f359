/** Change the user's own profile. */
import type { ProgressCallback, Response } from "./api";
import { failure } from "./errors";
import type { Runtime } from "./runtime";
import type { MediaBody, OwnProfileBody, ProfileRequest } from "./wire";

/** A picture, its URL, or the `fileToken` of an earlier response; `""` for none. */
export type Image = Blob | string;

/** The fields of a profile that change: `null` or absent leaves one as it is, `""` clears it. */
export type ProfileChange = Omit<ProfileRequest, "image" | "version"> & { image?: Image | null };

/** How a profile is changed. */
export interface ProfileOptions {
  /** The version that the change builds on; any other current version is a `profile_conflict`. */
  version?: number;
  /** Is told how far the upload of a picture is. */
  onProgress?: ProgressCallback;
}

export async function changeProfile(
  runtime: Runtime,
  change: ProfileChange,
  { version, onProgress }: ProfileOptions,
): Promise<Response<OwnProfileBody>> {
  const { image, ...fields } = change;
  const body: ProfileRequest = { ...fields, ...(version !== undefined && { version }) };
  if (image !== undefined && image !== null) {
    body.image = typeof image === "string" ? image : await upload(runtime, image, onProgress);
  }
  return await runtime.tokens.call<OwnProfileBody>("PATCH", "/profile", body);
}

/** Store a picture; its `fileToken`. */
async function upload(runtime: Runtime, image: Blob, onProgress?: ProgressCallback): Promise<string> {
  if (!(image instanceof Blob)) {
    throw failure("profile_invalid", "IMAGE is a File, a Blob, a URL or a fileToken", { field: "image" });
  }
  const maxBytes = runtime.config.limits.imageMaxBytes;
  if (image.size > maxBytes) throw failure("payload_too_large", `A picture has at most ${maxBytes} bytes`, { maxBytes });
  return (await runtime.tokens.upload<MediaBody>("/media", image, onProgress)).data.fileToken;
}
