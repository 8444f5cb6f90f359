"""Does ejabberd let the node in, and does it serve the domains of all apps?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from heliograph.doctor.findings import Finding, ok, problem, warning
from heliograph.engines.ejabberd.api import ApiRefused, ApiUnavailable, EjabberdApi
from heliograph.engines.ejabberd.configuration import lacking
from heliograph.engines.ejabberd.link import Address
from heliograph.node import ejabberd_api_token, ejabberd_api_urls, ejabberd_components
from heliograph.settings import Settings

SUBJECT = "ejabberd"
USUAL_FILE = Path("/etc/ejabberd/ejabberd.yml")
CONNECT_TIMEOUT_S = 3.0
_MAKE = "Run: heliograph ejabberd configure --output … --reload, on the machine of that ejabberd node."


def look(settings: Settings, domains: Sequence[str], file: Path | None = None) -> list[Finding]:
    """What there is to say of each node of ejabberd; nothing where the node is an XMPP server itself.

    Args:
        settings: the node's settings.
        domains: the JID domains of all apps.
        file: the configuration of the ejabberd on this machine; `None` for Debian's place, if there is one.
    """
    if settings.engine != "ejabberd":
        return []
    return [*_configuration(file), *asyncio.run(_look(settings, domains))]


def _configuration(file: Path | None) -> list[Finding]:
    path = file or USUAL_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if file is None:  # it may be on another machine, or in another place
            return []
        return [problem(SUBJECT, f"{path} cannot be read: {type(error).__name__}", "Name the file of ejabberd.")]
    if file is None and "heliograph" not in text:  # another ejabberd's
        return []
    missing = lacking(text)
    if not missing:
        return [ok(SUBJECT, f"{path} says all that this version needs")]
    return [warning(SUBJECT, f"{path} lacks what this version needs: {'; '.join(missing)}", _MAKE)]


async def _look(settings: Settings, domains: Sequence[str]) -> list[Finding]:
    found = [await _listener(address) for address in ejabberd_components(settings)]
    for url in ejabberd_api_urls(settings):
        async with EjabberdApi((url,), ejabberd_api_token(settings)) as api:
            found += await _domains(api, url, domains)
    return found


async def _listener(address: Address) -> Finding:
    where = f"{address.host}:{address.port}"
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        advice = "Start ejabberd, or correct the settings that begin with ejabberd_component and ejabberd_cluster."
        return problem(SUBJECT, f"nobody listens for components at {where}", advice)
    writer.close()
    return ok(SUBJECT, f"components may connect at {where}")


async def _domains(api: EjabberdApi, url: str, domains: Sequence[str]) -> list[Finding]:
    try:
        served = await api.hosts()
    except ApiUnavailable as error:
        advice = "Start ejabberd, or correct ejabberd_api_url and ejabberd_cluster_api_urls."
        return [problem(SUBJECT, f"{url} does not answer ({error})", advice)]
    except ApiRefused as error:
        return [problem(SUBJECT, f"{url} does not let us ask ({error})", _MAKE)]
    missing = [domain for domain in domains if domain not in served]
    return [problem(SUBJECT, f"{url} does not serve {domain}", _MAKE) for domain in missing] or [
        ok(SUBJECT, f"{url} serves the domains of all apps")
    ]
