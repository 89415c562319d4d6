"""The agent as a process: one to a state, bounded in memory, small to start."""

import stat

import pytest
from agent_process import AgentProcess
from waiting import until, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

RSS_KIB_MAX = 32 * 1024  # as `host.agent_rss_mib`, which watches processes besides


async def test_it_beats_before_its_first_probe_has_ended(agent, central):
    agent.start()
    first = await until(lambda: central.beats and central.beats[0], "a beat")
    assert first.inventory is None
    assert (first.n, first.why, first.interval_ms) == (1, "start", 2_000)


def test_a_second_agent_on_the_same_state_is_refused_with_a_sentence(agent):
    agent.start()
    agent.status()
    second = agent.run("run")
    assert second.returncode == 1
    assert second.stderr.startswith("roost-agent: another roost-agent runs on ")
    assert agent.is_running()


def test_its_control_socket_is_its_owners_alone(agent):
    agent.start()
    agent.status()
    assert stat.S_IMODE((agent.state_dir / "control.sock").stat().st_mode) == 0o600
    assert stat.S_IMODE(agent.state_dir.stat().st_mode) == 0o700


def test_status_is_a_table_for_a_person(agent):
    agent.start()
    wait_until(lambda: agent.path_states() == {"wan1": "up"}, "the path")
    text = agent.run("status").stdout
    assert text.startswith("lab.n1  agent ")
    assert "wan1  wan   up" in text


async def test_an_idle_agent_stays_within_its_memory(agent, central):
    agent.start()
    await until(lambda: agent.status()["inventory"]["gen"], "the first probe")
    rss_kib = resident_kib(agent.pid)
    print(f"resident agent: RSS {rss_kib} KiB, bound {RSS_KIB_MAX}")
    assert rss_kib <= RSS_KIB_MAX


def resident_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:  # noqa: PTH123 - procfs
        return next(int(line.split()[1]) for line in file if line.startswith("Rss:"))


def test_without_a_broker_it_runs_and_says_so(tmp_path, mosquitto):
    agent = AgentProcess(tmp_path, {"wan1": mosquitto.url})
    mosquitto.kill()
    agent.start()
    try:
        wait_until(lambda: agent.path_states() == {"wan1": "down"}, "the path down")
        assert "refused" in agent.status()["paths"][0]["why"]
        assert agent.stop() == 0
    finally:
        agent.kill()
