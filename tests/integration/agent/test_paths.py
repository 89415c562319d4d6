"""Several paths: each has its own state, its own beats, and its own end."""

import asyncio

import pytest
from agent_process import AgentProcess
from broker import Broker
from waiting import until, wait_until

from roost_protocol.beat import PathState

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.fixture
def second(tmp_path, mosquitto):
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def agent(tmp_path, mosquitto, second):
    process = AgentProcess(
        tmp_path, {"wan1": mosquitto.url, "wan2": second.url, "site1": second.url}
    )
    process.start()
    yield process
    process.kill()


ALL_UP = {"wan1": "up", "wan2": "up", "site1": "up"}


def test_a_site_path_is_up_by_its_own_echo_and_a_wan_path_by_an_answered_report(agent):
    wait_until(lambda: agent.path_states() == ALL_UP, "all paths up")
    assert all(path["rtt_us"] for path in agent.status()["paths"])


async def test_holding_one_path_turns_only_that_one_down(agent, central):
    await until(lambda: agent.path_states() == ALL_UP, "all paths up")
    await asyncio.to_thread(agent.run, "path", "hold", "wan2", "--for", "1h")
    states = await asyncio.to_thread(agent.path_states)
    assert states == {"wan1": "up", "wan2": "down", "site1": "up"}
    told = await until(
        lambda: next((b for b in central.beats if b.paths[1].state is PathState.DOWN), None),
        "a beat on the other path that tells it",
    )
    assert [path.state for path in told.paths] == [PathState.UP, PathState.DOWN, PathState.UP]
    await asyncio.to_thread(agent.run, "path", "release", "wan2")
    await until(lambda: agent.path_states() == ALL_UP, "all paths up again")


def test_a_dead_broker_takes_its_paths_and_no_other(agent, second):
    wait_until(lambda: agent.path_states() == ALL_UP, "all paths up")
    second.kill()
    wait_until(
        lambda: agent.path_states() == {"wan1": "up", "wan2": "down", "site1": "down"}, "two down"
    )
    second.start()
    wait_until(lambda: agent.path_states()["site1"] == "up", "the site path again")


async def test_beats_are_numbered_on_each_path_and_start_with_the_agent(agent, central):
    beats = await until(lambda: len(central.beats) >= 3 and central.beats, "three beats")
    assert [beat.n for beat in beats[:3]] == [1, 2, 3]
    assert beats[0].why == "start"
    assert {beat.path for beat in beats} == {"wan1"}


def test_an_unknown_path_is_refused_with_the_known_ones(agent):
    agent.status()
    answer = agent.run("path", "hold", "wan9", "--for", "5s")
    assert answer.returncode == 1
    assert answer.stderr == "roost-agent: no path 'wan9'; there are wan1, wan2, site1\n"
