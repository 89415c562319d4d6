"""Whose sessions are closed: of those that ended, by ids that only the node and the centre know."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from roost_central.ingest import evictions as module
from roost_central.ingest.config import BrokerAddress
from roost_central.ingest.evictions import Evictions
from roost_central.ingest.seals import Seals
from roost_central.ingest.tls import BrokerTls
from roost_protocol.seal import Seal, report_key

NODE, TOPIC, KEY, BOOT = "lab.n1", "t", b"k" * 32, b"b" * 16
TLS = BrokerTls(*(Path(name) for name in ("ca", "cert", "key")), "b1.svc.edge.example")
BROKERS = (
    BrokerAddress.parse("b1", "mqtts://192.0.2.1", TLS),
    BrokerAddress.parse("lo", "mqtt://127.0.0.1"),
)
SEAL = Seal(report_key(KEY, NODE, 1), 1)


class Identities:
    live, revision = True, 1

    def is_known(self, node):
        return True

    def is_live(self, node, generation):
        return self.live

    def heard(self, node, generation):
        pass


def path(name, kind):
    return SimpleNamespace(name=name, kind=kind)


@pytest.fixture
def identities():
    return Identities()


@pytest.fixture
async def closed(identities, monkeypatch):
    """What was closed, by a running service that heard the node once."""
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    monkeypatch.setattr(module, "TURNS_S", (0.01, 0.03))
    paths = {"wan1": path("wan1", "wan"), "lan1": path("lan1", "site")}
    row = SimpleNamespace(boot_id=BOOT.hex(), incarnation=3, paths=paths)
    view = SimpleNamespace(nodes={NODE: row})
    seals = Seals(identities, (KEY,), ())
    seals.open("b1", NODE, TOPIC, SEAL.seal(TOPIC, b"x"))
    closed, starts = [], [(BOOT, 3), (BOOT, 4)]

    async def take_over(broker, client_id):
        closed.append((broker.name, client_id))
        if len(closed) == 1:
            raise TimeoutError

    evictions = Evictions(seals, view, BROKERS, lambda _node: starts, take_over)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(evictions.run())
        yield closed
        task.cancel()


async def test_an_ended_nodes_wan_sessions_are_closed_and_once_more_when_they_came_back(
    closed, identities
):
    identities.live = False
    identities.revision += 1
    await asyncio.sleep(0.2)
    first, second = (("b1", SEAL.client_id(BOOT, n, "wan1")) for n in (3, 4))
    assert closed == [first, first, second]  # the first time its broker did not answer


async def test_whoever_may_speak_is_left_alone(closed, identities):
    identities.revision += 1
    await asyncio.sleep(0.1)
    assert closed == []
