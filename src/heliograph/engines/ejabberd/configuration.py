"""The configuration that ejabberd 23.01 or newer needs to serve Heliograph's users, with the reasons as comments."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from heliograph.core import limits
from heliograph.xmpp.blocking import NS_BLOCKING
from heliograph.xmpp.vcard import NS_PROFILE

DELEGATED = (
    *("http://jabber.org/protocol/pubsub", "http://jabber.org/protocol/pubsub#owner", "vcard-temp", NS_PROFILE),
    NS_BLOCKING,
)
"""What ejabberd lets Heliograph answer: the profile in all its forms, other nodes of personal eventing, block lists."""
COMMANDS = (
    *("add_rosteritem", "connected_users_vhost", "delete_rosteritem", "get_roster", "kick_session", "send_stanza"),
    *("registered_vhosts", "reload_config", "status", "unregister", "user_sessions_info"),
)
"""What Heliograph calls of ejabberd's HTTP API."""

_ROUTES = "global_routes: false # each node gets what is for its own component, and not for those of others"
_MODULES = f"""\
mod_admin_extra: {{}}      # the commands around sessions and rosters
mod_bosh: {{}}
mod_carboncopy: {{}}
mod_client_state: {{}}
mod_delegation:          # XEP-0355: these requests are answered by Heliograph, out of the one record of each user
  namespaces:
{{delegated}}
mod_disco: {{}}
mod_last: {{}}
mod_mam: {{default: always, assume_mam_usage: true}}
mod_offline: {{access_max_user_messages: heliograph_offline_messages}}
mod_ping: {{send_pings: true, ping_interval: 1 min, ping_ack_timeout: 30 sec, timeout_action: kill}}
mod_privacy: {{}}          # keeps blocked users apart; Heliograph writes the lists
mod_privilege:           # XEP-0356: Heliograph learns who is there, and speaks for its users
  presence: {{managed_entity: heliograph}}
  message: {{outgoing: heliograph}}
mod_roster: {{access: none}} # rosters are changed through Heliograph alone, or the two would differ
mod_s2s_dialback: {{}}
mod_stream_mgmt: {{resume_timeout: {limits.RESUME_TTL_S} sec}}
mod_time: {{}}
mod_version: {{show_os: false}}
# Not loaded, by intent: mod_pubsub, mod_vcard, mod_avatar (Heliograph answers them), mod_blocking, mod_register."""


@dataclass(frozen=True, slots=True)
class Component:
    """How one Heliograph node connects: a name of its own, as an external component (XEP-0114)."""

    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the configuration is made of.

    Attributes:
        hosts: the JID domains of all apps.
        components: one for each Heliograph node.
        auth_command: what ejabberd runs to check passwords.
        certificate_files: PEM files that hold certificate and key.
        xmpp_ip, xmpp_port, xmpps_port: where clients connect, with STARTTLS and with direct TLS.
        api_ip, api_port: where the HTTP API listens, and WebSocket.
        component_ip, component_port: where Heliograph connects.
        control_networks: from where the HTTP API may be called.
        requires_tls: whether clients have to secure their stream.
        auth_processes: how many processes check passwords.
    """

    hosts: Sequence[str]
    components: Sequence[Component]
    auth_command: str
    certificate_files: Sequence[str]
    xmpp_ip: str
    xmpp_port: int
    xmpps_port: int
    api_ip: str
    api_port: int
    component_ip: str
    component_port: int
    control_networks: Sequence[str] = ("127.0.0.0/8", "::1/128")
    requires_tls: bool = True
    auth_processes: int = 2


def whole(terms: Configuration) -> str:
    """A complete `ejabberd.yml`."""
    return f"""\
# ejabberd for Heliograph, made by `heliograph ejabberd configure`. Make it again when an app is added, as the domains
# below are those of all apps, with `--reload`, or: ejabberdctl reload_config

hosts:
{_items(terms.hosts)}
loglevel: info
certfiles:
{_items(terms.certificate_files)}
listen:
{_client_listeners(terms)}
{_control_listeners(terms)}
{_authentication(terms)}
{_rights(terms)}
shaper: {{}}
shaper_rules:
  max_user_sessions: {limits.RESOURCES_PER_ACCOUNT_MAX} # connections of one user; Heliograph caps sessions
  heliograph_offline_messages: {limits.OFFLINE_MESSAGES_MAX}

modules:
{_indent(_modules(), 2)}
"""


def fragment(terms: Configuration) -> str:
    """What an existing `ejabberd.yml` takes besides what it has: for `include_config_file`, or to be copied into it."""
    hosts = "".join(
        f"  {_text(host)}:\n{_indent(_authentication(terms), 4)}\n    modules:\n{_indent(_modules(), 6)}\n"
        for host in terms.hosts
    )
    return f"""\
# For an existing ejabberd.yml, made by `heliograph ejabberd configure --fragment`. Add these to its sections of the
# same names; other hosts stay as they are.

hosts: # and those that are there
{_items(terms.hosts)}
listen: # and those that are there
{_control_listeners(terms)}
{_rights(terms)}
shaper_rules: # and those that are there
  heliograph_offline_messages: {limits.OFFLINE_MESSAGES_MAX}

host_config:
{hosts}"""


def lacking(text: str) -> list[str]:
    """What this version needs and an `ejabberd.yml` does not say, line by line: it was written for an earlier one, or
    somebody has taken something away.

    Args:
        text: the file's, whole or with a fragment in it.
    """
    said = set(map(_without_comment, text.splitlines()))
    needed = [_without_comment(line) for line in (*_ROUTES.splitlines(), *_modules().splitlines())]
    words = set(re.findall(r"\w+", " ".join(said)))
    commands = [name for name in COMMANDS if name not in words]
    return [line for line in needed if line and line not in said] + commands


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line).strip()


def _client_listeners(terms: Configuration) -> str:
    ip, size = _text(terms.xmpp_ip), limits.STANZA_MAX_BYTES
    starttls = "starttls_required: true" if terms.requires_tls else "starttls: true"
    return f"""\
  - {{port: {terms.xmpp_port}, ip: {ip}, module: ejabberd_c2s, {starttls}, max_stanza_size: {size}, access: all}}
  - {{port: {terms.xmpps_port}, ip: {ip}, module: ejabberd_c2s, tls: true, max_stanza_size: {size}, access: all}}"""


def _control_listeners(terms: Configuration) -> str:
    components = "".join(f"      {_text(each.name)}: {{password: {_text(each.secret)}}}\n" for each in terms.components)
    return f"""\
  # The HTTP API, by which Heliograph ends connections and changes rosters, and WebSocket for browsers. A proxy in front
  # of it passes on /ws and /bosh, and never /api.
  - port: {terms.api_port}
    ip: {_text(terms.api_ip)}
    module: ejabberd_http
    request_handlers: {{/api: mod_http_api, /ws: ejabberd_http_ws, /bosh: mod_bosh}}
  # Heliograph itself, as an external component. The stream is not encrypted: keep it inside.
  - port: {terms.component_port}
    ip: {_text(terms.component_ip)}
    module: ejabberd_service
    access: all
    shaper: none
    max_stanza_size: 1048576
{_indent(_ROUTES, 4)}
    hosts:
{components}"""


def _authentication(terms: Configuration) -> str:
    return f"""\
# Who may sign in is asked of Heliograph: each device session has a password of its own, of which it keeps a hash. So a
# client has to show the password (PLAIN), which it may only do over TLS.
auth_method: external
extauth_program: {_text(terms.auth_command)}
extauth_pool_size: {terms.auth_processes}
auth_use_cache: false # a session that has ended must not be let in from memory
disable_sasl_mechanisms: [X-OAUTH2, DIGEST-MD5]"""


def _rights(terms: Configuration) -> str:
    return f"""\
negotiation_timeout: {round(limits.SIGN_IN_BINDS_S) - 5} sec # Heliograph traces connections to sign-ins by time
acl:
  heliograph:
    server:
{_items([each.name for each in terms.components], 6)}
access_rules:
  heliograph: {{allow: heliograph}}
api_permissions:
  heliograph:
    from: [mod_http_api]
    who: [{", ".join(f"{{ip: {_text(each)}}}" for each in terms.control_networks)}]
    what: [{", ".join(COMMANDS)}]
  console: {{from: [ejabberd_ctl], who: all, what: "*"}}"""


def _modules() -> str:
    return _MODULES.replace(
        "{delegated}", "\n".join(f"    {_text(each)}: {{access: heliograph}}" for each in DELEGATED)
    )


def _text(value: str) -> str:
    return json.dumps(value)  # which YAML reads as it stands


def _items(values: Sequence[str], width: int = 2) -> str:
    return "".join(f"{' ' * width}- {_text(value)}\n" for value in values)


def _indent(text: str, width: int) -> str:
    return "\n".join(f"{' ' * width}{line}" if line else line for line in text.splitlines())
