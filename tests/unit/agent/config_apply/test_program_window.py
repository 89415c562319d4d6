"""Root keeps what waits for a window over everything that happens until it opens."""

import time

import pytest
from config_root import ONE, RESTARTS, TWO, ConfigRoot, window

from roost_agent.config_apply.job_file import job_file
from roost_agent.config_apply.machine import Machine, StepError
from roost_agent.config_apply.program import DONE, NOT_DONE, Program

SHUT = RESTARTS | {"update-window": window(opens_in_h=6)}
TIMESYNCD = "etc/systemd/timesyncd.conf.d/60-roost.conf"


@pytest.fixture
def root(tmp_path):
    return ConfigRoot(tmp_path)


def later_ms():
    """Return a moment within the window of SHUT."""
    return round(time.time() * 1_000) + 6 * 3_600_000 + 2_400_000


def test_a_document_that_disturbs_services_is_held_until_its_window_opens(root):
    root.apply(ONE)
    before, told = root.files, root.apply(SHUT)
    assert (told["state"], told["code"], told["applied_desired"]) == ("waiting", "window", 1)
    assert "time.servers: waits for the window that opens" in told["text"]
    assert told["sections"]["time"] == {"state": "waiting"}
    assert root.files == before
    digest, opens_ms = told["held"]["digest"], told["held"]["opens_ms"]
    assert opens_ms <= later_ms()
    job_file(root.given.jobs, digest).unlink()  # the agent's folder does not outlive a boot
    Program(root.given).apply(digest)
    assert root.told["state"] == "waiting"
    Program(root.given, wall_ms=later_ms).apply(digest)
    assert (root.told["state"], root.told["applied_desired"]) == ("applied", 2)
    assert TIMESYNCD in root.files
    assert (root.told["held"], root.state.held) == (None, None)
    assert root.told["seq"] == root.seq


def test_it_is_still_held_after_a_boot_and_what_is_applied_counts_on(root):
    root.apply(ONE)
    digest = root.apply(SHUT)["digest"]
    (root.tree / "proc/sys/vm/swappiness").write_text("60\n")
    assert Program(root.given).boot() == DONE
    assert root.files["proc/sys/vm/swappiness"] == "10\n"
    assert root.told["held"]["digest"] == digest
    job_file(root.given.jobs, digest).unlink()
    Program(root.given, wall_ms=later_ms).apply(digest)
    assert root.told["applied_desired"] == 2


def test_its_number_is_spent_and_the_next_order_takes_its_place(root):
    root.apply(ONE)
    held = root.apply(SHUT)["digest"]
    told = root.apply(TWO)
    assert (told["state"], told["held"], told["applied_desired"]) == ("applied", None, 3)
    Program(root.given, wall_ms=later_ms).apply(held)  # its job lies there still
    assert (root.told["state"], root.told["code"]) == ("refused", "replayed")


def test_the_first_document_of_a_box_waits_for_nothing(root):
    assert root.apply(SHUT)["state"] == "applied"


def test_an_open_window_and_quiet_settings_do_not_wait(root):
    root.apply(ONE)
    opened = RESTARTS | {"update-window": window(opens_in_h=-1, minutes=120)}
    assert root.apply(opened)["state"] == "applied"
    quiet = opened | {"kernel": {"sysctl": {"vm.swappiness": 30}}}
    assert root.apply(quiet | {"update-window": window(opens_in_h=6)})["state"] == "applied"


def test_a_window_in_a_zone_that_is_not_known_here_refuses_the_document(root):
    root.apply(ONE)
    told = root.apply(RESTARTS | {"update-window": window(opens_in_h=6) | {"timezone": "Mars/X"}})
    assert (told["state"], told["code"]) == ("refused", "impossible")
    assert told["text"].startswith("update-window: ")


class Broken(Machine):
    """A machine that takes nothing more."""

    def do(self, step):
        raise StepError("/etc: No space left on device")


def test_what_cannot_be_undone_is_tried_some_times_and_then_left_to_a_person(root):
    root.apply(ONE)
    old = root.files

    class Dying(Machine):
        def do(self, step):
            super().do(step)
            raise KeyboardInterrupt

    digest = root.job(TWO)
    with pytest.raises(KeyboardInterrupt):
        Program(root.given, Dying(root.given.root, "")).apply(digest)
    broken = Broken(root.given.root, "")
    ends = [Program(root.given, broken).apply(digest) for _ in range(9)]
    assert ends == [NOT_DONE] * 7 + [DONE] * 2  # so systemd begins it anew no more
    assert root.told["code"] == "stuck"
    assert "`roost-config forget`" in root.told["text"]
    assert root.state.journal.failed == 8
    Program(root.given).apply(digest)
    assert root.told["code"] == "stuck"  # not even where it would work now
    assert Program(root.given).boot() == DONE  # but at a boot it is tried once more
    assert root.state.journal is None
    assert root.files == old
