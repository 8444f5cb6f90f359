"""Two nodes over one database and one ejabberd: one answers for the profiles, and another when it is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ejabberd_clients import bare_client, ends, until
from ejabberd_places import running_on_ejabberd
from ejabberd_server import PROGRAM
from heliograph.core.sessions import EndReason
from heliograph.engines.ejabberd.engine import EjabberdEngine
from heliograph.node import run_node
from heliograph.settings import Settings
from places import SANDBOX

pytestmark = pytest.mark.cluster


NAMES = ("one.heliograph.localhost", "two.heliograph.localhost")


async def test_when_the_node_that_answers_is_gone_another_takes_over(tmp_path: Path) -> None:
    if PROGRAM is None:
        pytest.skip("ejabberd is not here: scripts/install-ejabberd")
    async with running_on_ejabberd(tmp_path, components=NAMES, ejabberd_component_name=NAMES[0]) as (place, server):
        second = Settings(**{**server.settings, "ejabberd_component_name": NAMES[1]})
        async with run_node(second) as other:
            first, engine = place.node.engine, other.engine
            assert isinstance(first, EjabberdEngine)
            assert isinstance(engine, EjabberdEngine)
            await until(lambda: engine.is_reachable)
            assert not engine.mirror.leads
            account = await place.register("ada")
            client = await bare_client(place, account)
            await until(lambda: any(each.session_id for each in engine.router.full.values()))
            await first.stop(1)
            await until(lambda: SANDBOX in engine.mirror.leads)
            answer = await client.ask("<vCard xmlns='vcard-temp'/>")
            assert answer.get("type") == "result"
            (session_id,) = {each.session_id for each in engine.router.full.values()}
            engine.disconnect_session(account.jid, session_id, EndReason.ENDED_BY_ADMIN)
            assert "urn:heliograph:session:1#ended_by_admin" in await ends(client)
