"""Rows to records and back, by position: the column lists of `sql` in the order in which they stand there."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from heliograph.core.account_changes import Feedback
from heliograph.core.accounts import Account
from heliograph.core.apps import App, AppKey, Environment, KeyKind, Policy
from heliograph.core.audit import Entry, Event, Kind, Owner
from heliograph.core.contacts import RosterItem
from heliograph.core.fast_tokens import FastSlots
from heliograph.core.invitations import Invitation
from heliograph.core.metadata import Metadata
from heliograph.core.pep_nodes import Node, NodeConfig
from heliograph.core.pep_ties import Affiliation, Tie
from heliograph.core.profile_history import ProfileEdit
from heliograph.core.profiles import Profile, Visibility
from heliograph.core.qr_login import QrLink
from heliograph.core.sessions import Device, Session, Verifiers, Via
from heliograph.core.tokens import TokenKind, TokenRecord
from heliograph.core.user_jids import identifier_of
from heliograph.core.webhooks import Message, Webhook

Row = tuple[Any, ...]
"""What a driver gives for a row, or takes for a statement's parameters."""

APP_WIDTH = 7
ACCOUNT_WIDTH = 13
SESSION_WIDTH = 9
"""How many columns `sql.APP`, `sql.ACCOUNT` and `sql.SESSION` have, where more follow in a row."""

_APPS_KNOWN = 256

# A look-up in a dict costs a third of a call of the enumeration.
_ENVIRONMENTS = {environment.value: environment for environment in Environment}
_KEY_KINDS = {kind.value: kind for kind in KeyKind}
_VIAS = {via.value: via for via in Via}
_TOKEN_KINDS = {kind.value: kind for kind in TokenKind}
_KINDS = {kind.value: kind for kind in Kind}

_encode = msgspec.json.Encoder().encode
_decode_metadata = msgspec.json.Decoder(dict[str, str | bool | int | float]).decode
_decode_policy = msgspec.json.Decoder(Policy).decode
_decode_visibility = msgspec.json.Decoder(dict[str, Visibility]).decode
_decode_edit = msgspec.json.Decoder(ProfileEdit).decode
_decode_fast_slots = msgspec.json.Decoder(FastSlots).decode
_decode_qr_link = msgspec.json.Decoder(QrLink).decode
_decode_pep_config = msgspec.json.Decoder(NodeConfig).decode
_decode_jids = msgspec.json.Decoder(list[str]).decode
_decode_groups = msgspec.json.Decoder(tuple[str, ...]).decode
_decode_facts = msgspec.json.Decoder(dict[str, str | int | bool | list[str]]).decode


def environment(text: str) -> Environment:
    """The environment of that stored name."""
    return _ENVIRONMENTS[text]


@functools.lru_cache(_APPS_KNOWN)
def app(row: Row) -> App:
    """The app in the columns `sql.APP`. Each call of the API reads one: of equal rows it is made once, and the row says
    whether it has changed. To make it took as long as to read it.
    """
    app_id, name, live, sandbox, assertion_key, created_at, policy = row
    return App(app_id, name, live, sandbox, assertion_key, created_at, _decode_policy(policy))


def app_row(app: App) -> Row:
    """The parameters of `sql.ADD_APP`."""
    return (app.id, app.name, app.assertion_key, app.created_at, policy_text(app.policy))


def policy_text(policy: Policy) -> str:
    """A policy at rest."""
    return _encode(policy).decode()


def app_key(row: Row) -> AppKey:
    """The key in the columns `sql.APP_KEY`."""
    key_hash, app_id, kind, environment_name, *rest = row
    return AppKey(key_hash, app_id, _KEY_KINDS[kind], _ENVIRONMENTS[environment_name], *rest)


def app_key_row(key: AppKey) -> Row:
    """The parameters of `sql.ADD_APP_KEY`."""
    kind, environment = key.kind.value, key.environment.value
    return (key.hash, key.app_id, kind, environment, key.publishable, key.created_at, key.expires_at)


def account(row: Row) -> Account:
    """The account in the columns `sql.ACCOUNT`."""
    number, jid, app_id, environment_name, salt, iterations, metadata, is_blocked, created_at, *rest = row
    return Account(
        number,
        app_id,
        _ENVIRONMENTS[environment_name],
        identifier_of(jid),
        jid,
        salt,
        iterations,
        _decode_metadata(metadata),
        bool(is_blocked),
        created_at,
        *rest,
    )


def account_row(account: Account) -> Row:
    """The parameters of `sql.ADD_ACCOUNT`."""
    return (
        account.jid,
        account.app_id,
        account.environment.value,
        account.salt,
        account.iterations,
        metadata_text(account.metadata),
        int(account.is_blocked),
        account.created_at,
        account.expires_at,
    )


def changed_account_row(account: Account) -> Row:
    """The parameters of `sql.SET_ACCOUNT`."""
    return (
        metadata_text(account.metadata),
        int(account.is_blocked),
        account.max_sessions,
        account.deleted_at,
        account.purge_at,
        account.id,
    )


def feedback(row: Row) -> Feedback:
    """What a user said on leaving, in the columns of `sql.FEEDBACK`."""
    return Feedback(*row)


def metadata(text: str) -> Metadata:
    """Metadata as it was stored."""
    return _decode_metadata(text)


def metadata_text(metadata: Metadata) -> str:
    """Metadata at rest."""
    return _encode(metadata).decode()


def session(row: Row) -> Session:
    """The session in the columns `sql.SESSION`."""
    session_id, account_id, via, device, browser, system, ip, created_at, last_active_at = row
    return Session(session_id, account_id, _VIAS[via], Device(device, browser, system, ip), created_at, last_active_at)


def session_row(session: Session, account_id: int, verifiers: Verifiers) -> Row:
    """The parameters of `sql.ADD_SESSION`."""
    device = session.device
    return (
        session.id,
        account_id,
        session.via.value,
        device.device,
        device.browser,
        device.os,
        device.ip,
        session.created_at,
        session.last_active_at,
        *verifiers_row(verifiers),
    )


def verifiers_row(verifiers: Verifiers) -> Row:
    """A session's verifiers, in the order of `sql.VERIFIERS`."""
    return (
        verifiers.stored_sha1,
        verifiers.server_sha1,
        verifiers.stored_sha256,
        verifiers.server_sha256,
        verifiers.sha256,
    )


def token(row: Row) -> TokenRecord:
    """The token in the columns `sql.TOKEN`."""
    token_hash, kind, session_id, expires_at, superseded_at, pair = row
    return TokenRecord(token_hash, _TOKEN_KINDS[kind], session_id, expires_at, superseded_at, pair)


def token_row(token: TokenRecord, session_number: int) -> Row:
    """The parameters of `sql.ADD_TOKEN`."""
    return (token.hash, session_number, token.kind.value, token.expires_at, token.superseded_at, token.pair)


def fast_slots(text: str) -> FastSlots:
    """The slots of a client at rest."""
    return _decode_fast_slots(text)


def fast_slots_text(slots: FastSlots) -> str:
    """Slots as they are stored."""
    return _encode(slots).decode()


def profile(row: Row) -> Profile:
    """The profile in the columns `sql.PROFILE`; where none was saved, the one at version 0."""
    (
        jid, version, name, image, thumb_image, status, mobile, email, vcard_extra, visibility, is_blocked, updated_at,
        mark,
    ) = row  # fmt: skip
    if version is None:
        return Profile(jid, is_admin_blocked=bool(is_blocked))
    return Profile(
        jid,
        version,
        name,
        image,
        thumb_image,
        status,
        mobile,
        email,
        vcard_extra,
        _decode_visibility(visibility),
        bool(is_blocked),
        updated_at,
        mark,
    )


def profile_row(profile: Profile, account_id: int, has_name: bool, phone_hash: bytes | None) -> Row:
    """The parameters of `sql.PUT_PROFILE`."""
    looked_up_by = profile.image, profile.thumb_image, profile.mobile, phone_hash
    return (*changed_profile_row(profile, account_id, has_name), *looked_up_by)


def changed_profile_row(profile: Profile, account_id: int, has_name: bool) -> Row:
    """The parameters of `sql.SET_PROFILE`."""
    return (
        profile.version,
        profile.name,
        profile.status,
        profile.email,
        profile.vcard_extra,
        _encode(profile.visibility).decode(),
        profile.updated_at,
        int(has_name),
        profile.mark,
        account_id,
    )


def item(row: Row) -> RosterItem:
    """The roster item in the columns `sql.ITEM`."""
    jid, subscription, name, groups, is_pending_out, is_pending_in, is_approved, is_listed, request, mark = row
    return RosterItem(
        jid,
        subscription,
        name,
        _decode_groups(groups),
        bool(is_pending_out),
        bool(is_pending_in),
        bool(is_approved),
        bool(is_listed),
        request,
        mark,
    )


def item_row(item: RosterItem, owner_id: int) -> Row:
    """The parameters of `sql.PUT_ITEM`."""
    return (
        owner_id,
        item.jid,
        item.subscription,
        item.name,
        _encode(item.groups).decode(),
        int(item.is_pending_out),
        int(item.is_pending_in),
        int(item.is_approved),
        int(item.is_listed),
        item.request,
        item.mark,
    )


def invitation(row: Row) -> Invitation:
    """The invitation in the columns `sql.INVITATION`."""
    return Invitation(*row)


def invitation_row(invitation: Invitation, token_hash: bytes) -> Row:
    """The parameters of `sql.ADD_INVITATION`."""
    return (
        invitation.id,
        token_hash,
        invitation.created_at,
        invitation.expires_at,
        invitation.max_uses,
        invitation.uses,
        invitation.owner,
    )


def profile_edit(row: Row) -> ProfileEdit:
    """The change of a profile in the column `record`."""
    return _decode_edit(row[0])


def profile_edit_text(edit: ProfileEdit) -> str:
    """A change of a profile at rest."""
    return _encode(edit).decode()


def qr_link(row: Row) -> QrLink:
    """The link in the column `record`."""
    return _decode_qr_link(row[0])


def qr_link_text(link: QrLink) -> str:
    """A link at rest."""
    return _encode(link).decode()


def pep_node(row: Row) -> Node:
    """The node in the columns of `sql.PEP_NODE`."""
    return Node(row[0], row[1], pep_config(row[2]))


def pep_config(text: str) -> NodeConfig:
    """A node's configuration; what a later version has added stands at its default."""
    return _decode_pep_config(text)


def pep_config_text(config: NodeConfig) -> str:
    """A node's configuration as it is stored."""
    return _encode(config).decode()


def pep_tie(row: Row) -> Tie:
    """The tie in the columns of `sql.PEP_TIES_OF_NODE` and `sql.PEP_TIES_OF_ACCOUNT`."""
    owner, node, account, affiliation, subscriptions = row
    return Tie(owner, node, account, Affiliation(affiliation), tuple(_decode_jids(subscriptions)))


def pep_subscriptions_text(tie: Tie) -> str:
    """The subscriptions of a tie as they are kept."""
    return _encode(tie.subscriptions).decode()


def entry(row: Row) -> Entry:
    """The entry of the audit trail in the columns `sql_audit.ENTRY`."""
    number, at, kind, app_id, environment_name, jid, session_id, facts, entry_hash = row
    owner = Owner(app_id, _ENVIRONMENTS[environment_name], jid)
    return Entry(number, Event(_KINDS[kind], owner, at, session_id, _decode_facts(facts)), entry_hash)


def entry_row(entry: Entry) -> Row:
    """The parameters of `sql_audit.ADD_ENTRY`."""
    event = entry.event
    owner = event.owner
    return (
        entry.number,
        event.at,
        event.kind.value,
        owner.app_id,
        owner.environment.value,
        owner.jid,
        event.session_id,
        _encode(event.facts).decode(),
        entry.hash,
    )


def kinds(text: str) -> tuple[Kind, ...]:
    """The kinds of messages that a webhook wants, as `webhook_row` has written them."""
    return tuple(_KINDS[name] for name in text.split() if name in _KINDS)


def webhook(row: Row) -> Webhook:
    """The webhook in the columns `sql_audit.WEBHOOK`."""
    webhook_id, app_id, environment_name, url, wanted, created_at, waiting, dropped, dead = row
    environment = _ENVIRONMENTS[environment_name]
    return Webhook(webhook_id, app_id, environment, url, kinds(wanted), created_at, waiting, dead, dropped)


def webhook_row(webhook: Webhook) -> Row:
    """The parameters of `sql_audit.ADD_WEBHOOK` before the secret."""
    wanted = " ".join(kind.value for kind in webhook.kinds)
    return (webhook.id, webhook.app_id, webhook.environment.value, webhook.url, wanted, webhook.created_at)


def message(row: Row) -> Message:
    """The message in the columns `sql_audit.MESSAGE`."""
    return Message(*row)


def message_row(message: Message) -> Row:
    """The parameters of `sql_audit.ADD_MESSAGE`."""
    return (
        message.id,
        message.webhook_id,
        message.kind,
        message.body,
        message.created_at,
        message.attempts,
        message.due_at,
        message.problem,
    )
