"""What nodes said of their settings last is shown after a restart, as the last word."""

import pytest
from migrated import database_url

from roost_central.fleet.restore import restore
from roost_central.fleet.view import FleetView
from roost_central.ingest.beats import _show_config
from roost_central.ingest.flush import node_record
from roost_central.ports import SystemClock
from roost_central.storage import nodes, sites
from roost_central.storage.engine import Database
from roost_protocol.beat import Beat

NODE = "lab.n1"


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(database_url(tmp_path), clock=SystemClock())
    yield database
    await database.close()


def beat(**config):
    return Beat(
        v=1, node=NODE, boot_id=bytes(16), incarnation=1, path="p1", sent_ms=1, n=1,
        interval_ms=1, uptime_s=1, agent="1", why="timer", **config,
    )  # fmt: skip


def row():
    view = FleetView()
    view.add_site("lab", 1)
    return view.add_node(NODE, "lab", "n1")


async def test_what_a_beat_says_is_kept_and_restored(database):
    said = row()
    told = beat(config_digest=b"12345678", config_gen=4, config_pending_reboot=True, config_drift=2)
    assert _show_config(said.config, told)
    assert not _show_config(said.config, told)
    async with database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("lab", 1, {}, None, None, 1, 1)])
        await nodes.save(connection, [node_record(said, 1)])
    async with database.read() as connection:
        found = (await restore(connection)).nodes[NODE].config
    assert (found.applied_gen, found.applied_digest) == (4, b"12345678".hex())
    assert (found.pending_reboot, found.drift) == (True, 2)


def test_an_agent_that_nobody_can_configure_says_nothing_of_it():
    shown = row().config
    assert not _show_config(shown, beat())
    assert (shown.applied_gen, shown.drift) == (None, None)
    assert _show_config(shown, beat(config_digest=bytes(8)))
    assert (shown.applied_gen, shown.drift) == (0, 0)
    assert _show_config(shown, beat())
    assert shown.applied_digest is None
