"""What rollouts of profiles keep, and what became of staged changes, over both engines."""

import pytest
from alembic import command
from sqlalchemy import text

from roost_central.ports import SystemClock
from roost_central.rollout.having import Having, having
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.table import JobState, Kind, Pause, RolloutState, WaveState
from roost_central.storage import rollout_changes, rollouts
from roost_central.storage.engine import Database
from roost_central.storage.rollout_changes import FormerNode, ProfileTexts

OLD = "0021"
CHANGE = (
    "INSERT INTO staged_change VALUES (:id, :state, 5, 6, 'ann', 'why', '{\"all\": 1}', '[1, 2]', "
    "1, 7, NULL, 60000, 120000, 2, '')"
)
NODE = "INSERT INTO staged_node VALUES (:id, :node, :stage, :generation, :document)"
NODES = [("a.n1", 0, 3, b"key"), ("b.n1", 1, 0, b""), ("c.n1", 1, 2, b"key")]


@pytest.fixture
async def older(database_url, at_revision):
    """A database of before of each kind, with one change in each state."""
    database = await Database.open(database_url, clock=SystemClock())
    async with database.write() as connection:
        await at_revision(connection, command.downgrade, OLD)
        known = "INSERT INTO desired_document (key, digest, body) VALUES (:key, :digest, :body)"
        row = {"key": b"key", "digest": b"d" * 32, "body": b""}
        await connection.execute(text(known), row)
        for state in ("stopped", "aborted", "done", "rolled-back"):
            await connection.execute(text(CHANGE), {"id": state, "state": state})
            for node, stage, generation, document in NODES:
                row = {"id": state, "node": node, "stage": stage, "generation": generation,
                       "document": document}  # fmt: skip
                await connection.execute(text(NODE), row)
        await at_revision(connection, command.upgrade, "head")
    yield database
    await database.close()


async def test_a_staged_change_that_was_open_is_a_rollout_that_rests(older):
    async with older.read() as connection:
        [(head, plan)] = await rollouts.load_open(connection)
        jobs = {job.site: job for job in await rollouts.jobs_of(connection, "stopped")}
        held = (await rollout_changes.load_nodes(connection))["stopped"]
        texts = await rollout_changes.texts_of(connection, "stopped")
    assert (head.kind, head.state, head.pause) == (
        Kind.PROFILE,
        RolloutState.PAUSED,
        Pause.OPERATOR,
    )
    assert [wave.state for wave in head.waves] == [WaveState.PASSED, WaveState.RUNNING]
    assert (head.profiles, head.wave, head.sites) == (("all",), 1, 3)
    assert read_plan(plan).kind is Kind.PROFILE
    assert {site: job.state for site, job in jobs.items()} == {
        "a": JobState.SUCCEEDED, "b": JobState.APPLYING, "c": JobState.APPLYING,
    }  # fmt: skip
    assert [each.former_digest[:1] for each in held] == [b"d", held[1].former_digest[:1], b"d"]
    assert held[1].former_generation == 0
    assert texts == ProfileTexts(revisions={"all": 1})


async def test_one_that_was_at_its_end_is_one_at_its_end_and_an_aborted_one_holds_back(older):
    async with older.read() as connection:
        states = {head.id: head.state for head in await rollouts.newest(connection)}
        jobs = await rollouts.jobs_of(connection, "aborted")
        assert {*await rollout_changes.load_nodes(connection)} == {"stopped", "aborted"}
    assert states == {
        "stopped": RolloutState.PAUSED, "aborted": RolloutState.ABORTED,
        "done": RolloutState.COMPLETED, "rolled-back": RolloutState.ROLLED_BACK,
    }  # fmt: skip
    assert {having(job) for job in jobs} == {Having.NEW}


async def test_who_is_held_back_comes_back_and_goes_one_by_one(older):
    nodes = [FormerNode("x.n1", 1, b"1" * 32), FormerNode("y.n1", 0, b"2" * 32)]
    async with older.write() as connection:
        await rollout_changes.drop_nodes(connection, "aborted")
        await rollout_changes.drop_nodes(connection, "stopped")
        await rollout_changes.add_nodes(connection, "done", nodes)
        await rollout_changes.drop_nodes(connection, "done", ["x.n1"])
        assert await rollout_changes.load_nodes(connection) == {"done": nodes[1:]}
        assert await rollout_changes.texts_of(connection, "absent") is None
