/** The calls around other users: contacts, invitations, phone book, blocking. */
import { segment, type Response } from "./api";
import { phoneHash } from "./phone-book";
import { ProfileCalls } from "./profile-calls";
import type {
  BlockedData,
  BlockedUserBody,
  ContactBody,
  ContactsData,
  DiscoverabilityBody,
  ImportData,
  InvitationsData,
  InviterBody,
  LastSeenBody,
  MetaData,
  NewInvitationBody,
  NewInvitationRequest,
  PhoneBookData,
  RequestsData,
  UserSearchRequest,
  UsersData,
} from "./wire";

export abstract class ContactCalls extends ProfileCalls {
  /** The contacts, those whom the user has asked and those who have asked the user. */
  async getFriendsList(): Promise<Response<ContactsData>> {
    return await this.on.tokens.call<ContactsData>("GET", "/contacts");
  }

  /**
   * Find users of the app by what the signed-in user may see of them.
   *
   * @param search the beginning of an identifier or of a word of a name, or a whole email address or mobile number; `""`
   *   for all users.
   * @param page from 1 on.
   * @param limit how many users a page has, 1 to 100.
   * @param metadata entries that the users have to have.
   * @throws HeliographError `request_invalid`, `metadata_invalid`, `feature_disabled`.
   */
  async getUsersList(search = "", page = 1, limit = 20, metadata?: MetaData | null): Promise<Response<UsersData>> {
    const body: UserSearchRequest = { search, page, limit, ...(metadata && { metadata }) };
    return await this.on.tokens.call<UsersData>("POST", "/users/search", body);
  }

  /** Make a contact, or ask for one where the app's policy wants it; accept one who has asked. */
  async addContact(userIdentifier: string): Promise<Response<ContactBody>> {
    return await this.on.tokens.call<ContactBody>("PUT", `/contacts/${segment(userIdentifier)}`);
  }

  /** Remove a contact on both sides, take back a request, or refuse one. */
  async removeContact(userIdentifier: string): Promise<Response> {
    return await this.on.tokens.call("DELETE", `/contacts/${segment(userIdentifier)}`);
  }

  /** Who has asked the user, and whom the user has asked. */
  async getContactRequests(): Promise<Response<RequestsData>> {
    return await this.on.tokens.call<RequestsData>("GET", "/contact-requests");
  }

  /**
   * Accept the request of somebody who has asked.
   *
   * @throws HeliographError `contact_request_not_found`, `contact_limit`.
   */
  async acceptContact(userIdentifier: string): Promise<Response<ContactBody>> {
    return await this.on.tokens.call<ContactBody>("POST", `/contact-requests/${segment(userIdentifier)}/accept`);
  }

  /** Decline the request of somebody who has asked. */
  async denyContact(userIdentifier: string): Promise<Response> {
    return await this.on.tokens.call("POST", `/contact-requests/${segment(userIdentifier)}/deny`);
  }

  /**
   * Make contacts of many users at once, or ask them, as the app's policy says. What became of each comes back; one that
   * fails does not stand in the way of the others.
   *
   * @param userIdentifiers at most 5,000.
   */
  async syncContacts(userIdentifiers: readonly string[]): Promise<Response<ImportData>> {
    return await this.on.tokens.call<ImportData>("POST", "/contact-imports", { identifiers: userIdentifiers });
  }

  /** When a contact was last there (XEP-0012), of an identifier or a bare JID. */
  async getLastSeen(user: string): Promise<Response<LastSeenBody>> {
    return await this.on.tokens.call<LastSeenBody>("GET", `/last-seen/${segment(user)}`);
  }

  // ----------------------------------------------------------------------------------------------------- phone book

  /**
   * Who of a phone book is a user and has agreed to be found. The numbers leave the device as hashes, which are not
   * kept; nobody is made a contact by it.
   *
   * @param numbers at most 5,000, with `+` and country code; separators do not matter.
   * @throws HeliographError `request_invalid` of a number that is none.
   */
  async matchPhoneBook(numbers: readonly string[]): Promise<Response<PhoneBookData>> {
    const { domain } = this.on.config;
    const hashes = await Promise.all(numbers.map((number) => phoneHash(domain, number)));
    return await this.on.tokens.call<PhoneBookData>("POST", "/phone-book-matches", { hashes });
  }

  /** Whether the user can be found by telephone number. */
  async getDiscoverability(): Promise<Response<DiscoverabilityBody>> {
    return await this.on.tokens.call<DiscoverabilityBody>("GET", "/discoverability");
  }

  /** Agree to be found by the telephone number of the profile, or not any more. */
  async setDiscoverability(wanted: { byPhone: boolean }): Promise<Response<DiscoverabilityBody>> {
    return await this.on.tokens.call<DiscoverabilityBody>("PUT", "/discoverability", wanted);
  }

  // ---------------------------------------------------------------------------------------------------- invitations

  /**
   * Make a link that makes whoever follows it a contact. Its token and address are shown this once.
   *
   * @param options `expiresIn` in seconds, from a minute to 30 days, a week if nothing is said; `maxUses` 1 to 100, else 1.
   * @throws HeliographError `request_invalid`, `invitation_limit`.
   */
  async createInvitation(options: NewInvitationRequest = {}): Promise<Response<NewInvitationBody>> {
    return await this.on.tokens.call<NewInvitationBody>("POST", "/contact-invitations", options);
  }

  /** The user's open invitations. */
  async getInvitations(): Promise<Response<InvitationsData>> {
    return await this.on.tokens.call<InvitationsData>("GET", "/contact-invitations");
  }

  /** End an invitation; the contacts that it has made stay. */
  async revokeInvitation(invitationId: string): Promise<Response> {
    return await this.on.tokens.call("DELETE", `/contact-invitations/${segment(invitationId)}`);
  }

  /**
   * Who invites.
   *
   * @param invitation its token or its whole address.
   * @throws HeliographError `invitation_invalid`.
   */
  async previewInvitation(invitation: string): Promise<Response<InviterBody>> {
    const token = tokenOf(invitation);
    return await this.on.tokens.call<InviterBody>("POST", "/contact-invitations/preview", { token });
  }

  /**
   * Become a contact of the one who invites, whatever the app's policy.
   *
   * @param invitation its token or its whole address.
   * @throws HeliographError `invitation_invalid`, `contact_invalid` of one's own, `contact_limit`.
   */
  async acceptInvitation(invitation: string): Promise<Response<ContactBody>> {
    const token = tokenOf(invitation);
    return await this.on.tokens.call<ContactBody>("POST", "/contact-invitations/accept", { token });
  }

  // -------------------------------------------------------------------------------------------------------- blocking

  /**
   * Block a user: neither sees the other's profile and presence any more, and messages fail.
   *
   * @throws HeliographError `account_not_found`, `block_limit`, and `block_invalid` of oneself.
   */
  async blockUser(userIdentifier: string): Promise<Response<BlockedUserBody>> {
    return await this.on.tokens.call<BlockedUserBody>("PUT", `/blocked/${segment(userIdentifier)}`);
  }

  /** Unblock a user; it is no error if the user was not blocked. */
  async unblockUser(userIdentifier: string): Promise<Response> {
    return await this.on.tokens.call("DELETE", `/blocked/${segment(userIdentifier)}`);
  }

  /** The users whom the signed-in user blocks. */
  async getUsersIBlocked(): Promise<Response<BlockedData>> {
    return await this.on.tokens.call<BlockedData>("GET", "/blocked");
  }
}

/** The token of an address, which ends with it. */
function tokenOf(invitation: string): string {
  return invitation.slice(Math.max(0, invitation.lastIndexOf("hgi_")));
}
