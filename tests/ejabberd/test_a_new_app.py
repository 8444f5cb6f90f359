"""An app is made while everything runs: the doctor sees what is missing, and one command makes it good."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from ejabberd_clients import bare_client, until
from heliograph.core import apps
from heliograph.core.apps import Policy, RegistrationPolicy
from heliograph.doctor import ejabberd
from heliograph.doctor.findings import Finding, Severity
from heliograph.settings import Settings
from patience import PATIENCE_S

pytestmark = pytest.mark.cluster

DOMAIN, SANDBOX = "shop.localhost", "sandbox.shop.localhost"


async def test_the_users_of_a_new_app_are_served_when_the_configuration_was_made_again(both: Any) -> None:
    place, server = both
    settings = Settings(**server.settings)

    async def problems() -> list[Finding]:
        domains = [
            domain for app, _ in await place.node.ports.apps.list() for domain in (app.domain, app.sandbox_domain)
        ]
        found = await asyncio.to_thread(ejabberd.look, settings, domains, server.folder / "ejabberd.yml")
        return [finding for finding in found if finding.severity is not Severity.OK]

    assert await problems() == []
    policy = Policy(registration=RegistrationPolicy.OPEN)
    shop = replace(place, app=await apps.create(place.node.ports, "Shop", DOMAIN, SANDBOX, policy))
    missing = await problems()
    assert [finding.text.rpartition(" ")[2] for finding in missing] == [DOMAIN, SANDBOX]

    await server.configure("--reload")
    assert await problems() == []
    await until(lambda: place.node.engine.mirror.grants.leads(None, SANDBOX))
    ada = await bare_client(shop, await shop.register("ada"))
    await shop.call("PATCH", "/profile", ada.account, {"nickName": "Ada"})
    assert "Ada" in (await ada.ask("<vCard xmlns='vcard-temp'/>")).xml

    await server.kill()
    async with asyncio.timeout(PATIENCE_S):
        while len(dead := await problems()) < 2:  # its sockets close after its first process has ended
            pass
    assert all(finding.severity is Severity.PROBLEM and finding.advice for finding in dead)
