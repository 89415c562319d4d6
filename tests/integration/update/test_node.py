"""A release gets onto a node: real helper, root's one-shot, journal, repository and installer."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from update_node import UpdateNode
from waiting import wait_until

from roost_protocol.window import Window

OLD = {"bin/run": b"old", "etc/a": b"1" * 5_000}
JOBS = [f"{each:032x}" for each in range(1, 9)]

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]  # root


@pytest.fixture
def node(tmp_path):
    made = UpdateNode(tmp_path)
    yield made
    made.stop()


def test_an_agent_that_is_killed_in_a_step_goes_on_with_it_and_does_it_once(node):
    one = node.stage.release("1.0", OLD)
    node.start()
    node.offer(one, "1.0", JOBS[0])
    key = f"{JOBS[0]}.1.install"  # root has it: before that nobody knows, and it goes back
    wait_until(lambda: node.stage.installed.result(key), "root has begun")
    node.kill()
    node.start()
    assert node.ended(JOBS[0])["state"] == "committed"
    assert node.stage.current() == OLD
    assert node.steps(JOBS[0]) == [
        "precheck", "download", "verify", "staged", "install", "verify_reboot", "commit", "unlock",
        "cleanup", "end",
    ]  # fmt: skip
    assert not (node.state_dir / "updates/mirror/blobs").exists()
    node.offer(one, "1.0", JOBS[2])
    assert said_of(node, JOBS[2])["answer"] == "not needed: app/demo 1.0 runs already"
    wait_until(lambda: {"app/demo": ["1.0", one]} in software_of(node), "what runs is told")
    two = node.stage.release("2.0", OLD | {"etc/a": b"2"})
    node.offer(two, "2.0", JOBS[3], controllers="ignore")
    assert said_of(node, JOBS[3])["answer"].startswith("not needed: its role is controller")
    told = wait_until(
        lambda: [each for each in node.said if each.get("job") == JOBS[3] and "state" in each],
        "the centre is told",
    )
    assert told[-1]["state"] == "not_needed"
    assert told[-1]["nodes"][0][:2] == ["lab.n1", "ignored"]
    assert node.stage.current() == OLD


def test_a_hold_and_a_window_keep_a_staged_release_waiting_and_a_cancel_ends_it(node):
    one = node.stage.release("1.0", OLD)
    node.start()
    window = {"days": [0], "start": "03:00", "minutes": 1, "tz": "Europe/Berlin"}
    node.offer(one, "1.0", JOBS[0], window=msgspec.convert(window, Window))
    waits = wait_until(
        lambda: [each for each in node.said if each.get("state") == "waiting"], "it waits"
    )
    assert waits[-1]["wait"] == "window"
    assert waits[-1]["detail"].startswith("the window opens at ")
    (node.folder / "inhibit.d").mkdir()
    (node.folder / "inhibit.d/till.toml").write_text("reason = 'stocktaking'\nuntil = 'ever'\n")
    told = "inhibit.d/till.toml: until: missing, or no moment with its zone"
    wait_until(lambda: told in node.log.read_text(), "what is wrong with the file is told")
    holds = wait_until(
        lambda: [each for each in node.said if each.get("wait") == "hold"], "the file holds it"
    )
    assert "stocktaking" in holds[-1]["detail"]
    node.offer(one, "1.0", JOBS[1])
    assert said_of(node, JOBS[1])["answer"].startswith("busy: app/demo 1.0 is under way")
    node.cancel(JOBS[0])
    assert node.ended(JOBS[0])["state"] == "canceled"
    assert node.stage.current() == {}
    node.cancel(JOBS[2])
    wait_until(lambda: any("not in the journal" in str(each) for each in node.said), "told")


def test_the_window_of_a_nodes_profile_and_then_an_alarm_keep_a_plan_without_a_window(node):
    one = node.stage.release("1.0", OLD)
    shut = datetime.now(UTC) + timedelta(hours=30)
    day = shut.strftime("%a").lower()
    node.applied(**{"update-window": {"days": [day], "start": f"{shut:%H:%M}", "minutes": 15}})
    node.start()
    node.offer(one, "1.0", JOBS[0], alarms="relaxed")
    waits = wait_until(
        lambda: [each for each in node.said if each.get("state") == "waiting"], "it waits"
    )
    assert waits[-1]["wait"] == "window"
    told = f"the window of its profile (update-window) opens at {shut:%Y-%m-%d %H:%M} UTC"
    assert waits[-1]["detail"].startswith(f"{told}, after the job's time ends at ")
    assert "install" not in node.steps(JOBS[0])
    node.alarm("raise")
    node.applied()  # another profile, without a window
    waits = wait_until(
        lambda: [each for each in node.said if each.get("wait") == "health"], "the alarm keeps it"
    )
    assert waits[-1]["detail"].startswith("alarm 100.801 (")
    assert waits[-1]["detail"].endswith(
        " stands on lab.n1, and the plan's gates are alarms = relaxed"
    )
    assert "install" not in node.steps(JOBS[0])
    node.alarm("clear")
    assert node.ended(JOBS[0])["state"] == "committed"


def test_a_budget_that_is_spent_is_waited_for_and_a_cancel_ends_that(tmp_path):
    node = UpdateNode(tmp_path, bytes_max=10)
    try:
        one = node.stage.release("1.0", OLD)
        node.start()
        node.offer(one, "1.0", JOBS[0])
        waits = wait_until(
            lambda: [each for each in node.said if each.get("wait") == "budget"], "it waits"
        )
        assert "bytes are to be fetched, 10 may be now" in waits[-1]["detail"]
        node.cancel(JOBS[0])
        assert node.ended(JOBS[0])["state"] == "canceled"
    finally:
        node.stop()


def said_of(node, job):
    return wait_until(
        lambda: next((each for each in node.said if each.get("offer") == job), None), "answered"
    )


def software_of(node):
    return [each["components"] for each in node.said if "components" in each]
