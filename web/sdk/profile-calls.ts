/** The calls around profiles. */
import { segment, type Response } from "./api";
import { Calls } from "./calls";
import { changeProfile, type Image, type ProfileChange, type ProfileOptions } from "./profiles";
import type { MetaData, MetaDataBody, MetaDataPatch, OwnProfileBody, ProfileBody, StatusesBody } from "./wire";

export abstract class ProfileCalls extends Calls {
  /**
   * Change the user's own profile, and bring it to all the user's devices and contacts. `null` leaves a field as it is,
   * `""` clears it.
   *
   * @param image a `File` or `Blob`, a URL, or the `fileToken` of an earlier response.
   * @throws HeliographError `profile_invalid` (with `details.field`), `profile_conflict`, `media_unsupported`,
   *   `payload_too_large`.
   */
  async setUserProfile(
    name?: string | null,
    image?: Image | null,
    status?: string | null,
    mobileNumber?: string | null,
    email?: string | null,
    options: ProfileOptions = {},
  ): Promise<Response<OwnProfileBody>> {
    const given = Object.entries({ nickName: name, image, status, mobileNumber, email });
    const change: ProfileChange = Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== null));
    return await changeProfile(this.on, change, options);
  }

  /** Change some fields of the user's own profile, and who may see them. All else is as for `setUserProfile`. */
  async updateProfile(change: ProfileChange, options: ProfileOptions = {}): Promise<Response<OwnProfileBody>> {
    return await changeProfile(this.on, change, options);
  }

  /** A profile as the signed-in user may see it, of an identifier or a bare JID; without one, the user's own. */
  async getUserProfile(): Promise<Response<OwnProfileBody>>;
  async getUserProfile(user: string): Promise<Response<ProfileBody>>;
  async getUserProfile(user?: string): Promise<Response<ProfileBody | OwnProfileBody>> {
    const path = user === undefined ? "/profile" : `/profiles/${segment(user)}`;
    return await this.on.tokens.call<ProfileBody>("GET", path);
  }

  /** The status texts that can be chosen from: the app's and the user's own last ones. */
  async getStatusList(): Promise<Response<StatusesBody>> {
    return await this.on.tokens.call<StatusesBody>("GET", "/statuses");
  }

  /** Take a text off the user's recent ones. */
  async deleteRecentStatus(status: string): Promise<Response<StatusesBody>> {
    return await this.on.tokens.call<StatusesBody>("POST", "/statuses/forget", { status });
  }

  /** Forget all of the user's recent status texts. */
  async clearRecentStatuses(): Promise<Response<StatusesBody>> {
    return await this.on.tokens.call<StatusesBody>("POST", "/statuses/forget", {});
  }

  // ------------------------------------------------------------------------------------------------------- metadata

  /** The signed-in user's metadata. */
  async getMetaData(): Promise<Response<MetaDataBody>> {
    return await this.on.tokens.call<MetaDataBody>("GET", "/metadata");
  }

  /**
   * Set entries of the signed-in user's metadata; `null` removes one, and what is not named stays.
   *
   * @throws HeliographError `metadata_invalid`: what comes of it breaks the limits, and nothing is changed.
   */
  async updateMetaData(metaData: MetaDataPatch["metaData"]): Promise<Response<MetaDataBody>> {
    return await this.on.tokens.call<MetaDataBody>("PATCH", "/metadata", { metaData });
  }

  /**
   * Replace the signed-in user's metadata.
   *
   * @throws HeliographError `metadata_invalid`.
   */
  async replaceMetaData(metaData: MetaData): Promise<Response<MetaDataBody>> {
    return await this.on.tokens.call<MetaDataBody>("PUT", "/metadata", { metaData });
  }
}
