"""Root's one-shot: what it believes, what it does, and what is left when it is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from config_root import ONE, TWO, ConfigRoot
from orders import GENERATION, NODE, NOW_MS, OrderPen

from roost_agent.config_apply import state as states
from roost_agent.config_apply.__main__ import command
from roost_agent.config_apply.carrier import CONFIRM
from roost_agent.config_apply.job_file import job_file
from roost_agent.config_apply.look import look
from roost_agent.config_apply.machine import Machine, StepError
from roost_agent.config_apply.program import DONE, NOT_DONE, Program
from roost_agent.config_apply.step import PutFile
from roost_agent.config_apply.told import read as told_by
from roost_protocol.order import body_digest

DEAF = "proc/sys/vm/dirty_ratio"
THREE = {"kernel": {"sysctl": {"vm.swappiness": 30}}}
STRANGER = OrderPen(seed=b"\1" * 32)


@pytest.fixture
def root(tmp_path):
    return ConfigRoot(tmp_path)


class Stubborn(Machine):
    """A machine on which a path cannot be written, or takes no value."""

    def __init__(self, root, path, *, is_deaf=False):
        super().__init__(root, "")
        self._path, self._is_deaf = path, is_deaf

    def do(self, step):
        if getattr(step, "path", "") == self._path:
            if not self._is_deaf:
                raise StepError(f"/{self._path}: Invalid argument")
        else:
            super().do(step)


def test_a_signed_document_is_applied_and_told_with_its_settings(root):
    told = root.apply(ONE)
    assert (told["state"], told["applied"], told["applied_desired"]) == ("applied", ONE, 1)
    assert told["sections"] == {"kernel": {"state": "applied"}, "time": {"state": "applied"}}
    assert root.files["proc/sys/vm/swappiness"] == "10\n"
    assert root.files["etc/localtime"] == "/usr/share/zoneinfo/Europe/Berlin"
    assert (root.state.journal, root.state.node, root.state.seq) == (None, NODE, root.seq)


def test_the_next_document_takes_back_what_it_does_not_set(root):
    root.apply(ONE)
    told = root.apply(TWO)
    assert (told["state"], told["applied_desired"]) == ("applied", 2)
    assert root.files["etc/localtime"] == "/usr/share/zoneinfo/UTC"
    assert root.files["proc/sys/vm/dirty_ratio"] == "30\n"
    before = ConfigRoot(root.tree.parent / "other").files
    root.apply({})
    assert {path: text.split() for path, text in root.files.items()} == {
        path: text.split() for path, text in before.items()
    }
    assert root.state.originals == {}


def test_what_waits_for_a_reboot_is_told(root):
    told = root.apply({"kernel": {"cmdline": {"isolcpus": "2-3"}}})
    assert told["state"] == "pending-reboot"
    assert told["pending"] == ["kernel.cmdline.isolcpus"]
    assert told["sections"]["kernel"]["state"] == "pending-reboot"


@pytest.mark.parametrize("is_deaf", [False, True])
def test_a_step_that_fails_or_is_without_effect_undoes_the_whole_document(root, is_deaf):
    root.apply(ONE)
    before = root.files
    machine = Stubborn(str(root.tree), "proc/sys/vm/dirty_ratio", is_deaf=is_deaf)
    told = root.apply(TWO, machine=machine)
    assert (told["state"], told["code"], told["applied_desired"]) == ("rolled-back", "failed", 1)
    assert told["sections"]["kernel"]["state"] == "failed"
    assert "dirty_ratio" in told["text"]
    assert root.files == before


class Stuck(Machine):
    """A machine that takes one value and gives it back no more; what follows it fails."""

    PATH = "proc/sys/vm/dirty_ratio"

    def __init__(self, root):
        super().__init__(root, "")
        self._is_set = False

    def do(self, step):
        if self._is_set and getattr(step, "path", "") == self.PATH:
            return
        super().do(step)
        if getattr(step, "path", "") == self.PATH:
            self._is_set = True
            raise StepError(f"/{self.PATH}: Input/output error")


def test_an_undo_without_effect_is_told_and_undone_again_at_the_next_start(root):
    root.apply(ONE)
    before = root.files
    told = root.apply(TWO, machine=Stuck(str(root.tree)))
    assert told["state"] == "rolled-back"
    assert 'not undone: kernel.sysctl."vm.dirty_ratio" is absent, was 20' in told["text"]
    assert root.state.journal is not None
    assert root.apply(THREE)["state"] == "applied"
    assert root.state.journal is None
    assert root.files["proc/sys/vm/dirty_ratio"] == before["proc/sys/vm/dirty_ratio"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pen": STRANGER}, "signature"),
        ({"node": "lab.n2"}, "node"),
        ({"generation": GENERATION - 1}, "stale"),
        ({"seq": 1}, "replayed"),
        ({"verb": "resync", "given": {"what": "alarms"}}, "body"),
    ],
)
def test_what_is_not_for_this_machine_now_changes_nothing(root, changes, code):
    root.apply(ONE)
    before, kept = root.files, root.state
    told = root.apply(TWO, **changes)
    assert (told["state"], told["code"]) == ("refused", code)
    assert (root.files, root.state) == (before, kept)
    assert told["applied_desired"] == 1


def test_a_document_of_the_identity_before_is_refused_after_another_one_was_here(root):
    old = root.job(TWO)
    root.apply(ONE, generation=GENERATION + 1)
    Program(root.given).apply(old)
    assert (root.told["state"], root.told["code"]) == ("refused", "stale")


def test_the_keys_of_the_first_order_are_kept_and_those_of_later_jobs_are_not_believed(root):
    root.apply(ONE)
    assert root.state.keys == (root.pen.known(),)
    assert root.apply(TWO, pen=STRANGER)["code"] == "signature"
    assert root.state.keys == (root.pen.known(),)


def test_who_has_followed_vouches_for_nobody_any_more(root):
    """The newest key that root knows says which one follows it, and no other does."""
    root.apply(ONE)
    second, third = OrderPen(seed=b"\2" * 32), OrderPen(seed=b"\3" * 32)
    root.vouch(root.pen, second)
    assert root.apply(TWO, pen=second)["state"] == "applied"
    assert root.state.keys == (root.pen.known(), second.known())
    root.vouch(root.pen, third)  # by a key that has a successor
    assert root.apply(ONE, pen=third)["code"] == "signature"
    root.vouch(STRANGER, third)
    assert root.apply(ONE, pen=third)["code"] == "signature"
    root.vouch(second, third)
    assert root.apply(ONE, pen=third)["state"] == "applied"


def test_a_key_with_a_successor_ends_when_the_agent_says_so(root):
    root.apply(ONE)
    second = OrderPen(seed=b"\2" * 32)
    root.vouch(root.pen, second)
    root.keys = (root.pen.known(until_ms=NOW_MS), second.known())  # orders begin then
    assert root.apply(TWO)["code"] == "signature"
    assert root.apply(TWO, pen=second)["state"] == "applied"


def test_the_newest_key_has_no_end_by_the_agents_word(root):
    """Else an agent that was captured for a minute leaves root without a key for ever."""
    for known in (root.pen.known(until_ms=NOW_MS + 1), root.pen.known()):
        root.keys = (known,)
        assert root.apply(ONE)["state"] == "applied"
    assert root.apply(TWO, not_before_ms=NOW_MS + 60_000)["state"] == "applied"


def test_an_order_is_carried_out_once(root):
    digest = root.job(ONE)
    Program(root.given).apply(digest)
    (root.tree / "proc/sys/vm/swappiness").write_text("60\n")
    Program(root.given).apply(digest)
    assert root.files["proc/sys/vm/swappiness"] == "60\n"
    failed = root.job(TWO)
    deaf = Stubborn(str(root.tree), "proc/sys/vm/dirty_ratio", is_deaf=True)
    Program(root.given, deaf).apply(failed)
    for again in (failed, digest):
        Program(root.given).apply(again)
        assert (root.told["state"], root.told["code"]) == ("refused", "replayed")
        assert root.told["applied_desired"] == 1


def test_root_that_was_killed_before_it_could_say_so_says_that_it_is_applied(root):
    root.apply(ONE)
    digest = root.job(TWO)
    before = root.told
    Program(root.given).apply(digest)
    after = root.told
    (root.given.told / "told.json").write_text(json.dumps(before | {"digest": digest}))
    assert Program(root.given).apply(digest) == DONE  # as systemd starts it again
    assert root.told == after
    assert (after["state"], after["seq"], after["applied_desired"]) == ("applied", root.seq, 2)


@pytest.mark.parametrize(
    "body", [b"", b"\x80\x80", b"\x81\xa3dns\x81\xa8attempts\x06", b"\x81\xa1x\x80"]
)
def test_a_body_that_is_no_document_is_refused(root, body):
    Program(root.given).apply(root.job_of(body, body_digest(body)))
    assert root.told["state"] == "refused"


def test_a_job_of_other_bytes_than_the_digest_is_refused(root):
    digest = body_digest(b"\x80")
    Program(root.given).apply(root.job_of(b"\x81\xa3dns\x80", digest))
    assert root.told["code"] == "body"


@pytest.mark.parametrize("kind", ["link", "pipe", "junk", "none"])
def test_what_lies_where_a_job_should_be_is_refused(root, kind):
    digest = root.job(ONE)
    path = job_file(root.given.jobs, digest)
    elsewhere = path.rename(root.given.state / "elsewhere")
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "junk":
        path.write_bytes(bytes(200_000))
    assert Program(root.given).apply(digest) == DONE
    assert root.told["state"] == "refused"


def test_a_machine_that_cannot_be_that_is_left_alone_and_the_number_is_spent(root):
    told = root.apply({"memory": {"hugepages": {"2M": {"node7": 1}}}})
    assert (told["state"], told["code"]) == ("refused", "impossible")
    assert "memory.hugepages.2M.node7" in told["text"]
    assert root.state.seq == root.seq


def test_without_a_job_only_sections_that_say_so_are_applied_again(root):
    document = {
        "kernel": {"sysctl": {"vm.swappiness": 10}},
        "dns": {"servers": ["192.0.2.53"], "drift": "reapply"},
    }
    told = root.apply(document)
    job_file(root.given.jobs, told["digest"]).unlink()
    (root.tree / "proc/sys/vm/swappiness").write_text("60\n")
    (root.tree / "etc/resolv.conf").write_text("nameserver 203.0.113.9\n")
    Program(root.given).apply(told["digest"])
    assert "192.0.2.53" in root.files["etc/resolv.conf"]
    assert root.files["proc/sys/vm/swappiness"] == "60\n"
    assert (root.told["seq"], root.told["state"]) == (0, "applied")


def test_what_waits_for_a_reboot_still_does_after_another_section_was_applied_again(root):
    document = {
        "kernel": {"cmdline": {"isolcpus": "2-3"}},
        "dns": {"servers": ["192.0.2.53"], "drift": "reapply"},
    }
    told = root.apply(document)
    job_file(root.given.jobs, told["digest"]).unlink()
    (root.tree / "etc/resolv.conf").write_text("nameserver 203.0.113.9\n")
    Program(root.given).apply(told["digest"])
    assert (root.told["state"], root.told["sections"]) == ("pending-reboot", told["sections"])


def test_at_a_boot_what_the_kernel_forgot_is_set_again(root):
    root.apply(TWO)
    (root.tree / "proc/sys/vm/swappiness").write_text("60\n")
    count = "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
    (root.tree / count).write_text("0\n")
    assert Program(root.given).boot() == DONE
    assert (root.files["proc/sys/vm/swappiness"], root.files[count]) == ("20\n", "64\n")
    assert root.told["applied_desired"] == 1


def test_at_the_first_boot_there_is_nothing_to_do(root):
    assert Program(root.given).boot() == DONE
    assert root.told == {"v": 1, **{key: root.told[key] for key in root.told if key != "v"}}
    assert root.told["applied_digest"] == ""


class Killed(Machine):
    """A machine whose root is killed at one of its steps, before or after it."""

    def __init__(self, root, at, *, is_after):
        super().__init__(root, "")
        self._left, self._is_after = at, is_after

    def do(self, step):
        self._left -= 1
        if self._left == 0 and not self._is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        super().do(step)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def killed(root, digest, at, *, is_after):
    child = os.fork()
    if child == 0:
        Program(root.given, Killed(str(root.tree), at, is_after=is_after)).apply(digest)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("how", ["boot", "again"])
def test_killed_at_any_step_it_ends_in_one_document_or_the_other(tmp_path, is_after, how):
    at, was_killed = 0, True
    while was_killed:
        at += 1
        root = ConfigRoot(tmp_path / str(at))
        root.apply(ONE)
        old = root.files
        digest = root.job(TWO)
        was_killed = killed(root, digest, at, is_after=is_after)
        if was_killed and how == "boot":
            assert root.state.journal is not None
            assert Program(root.given).boot() == DONE
            assert (root.files, root.told["applied_desired"]) == (old, 1)
        elif was_killed:
            assert Program(root.given).apply(digest) == DONE
            assert (root.told["state"], root.told["applied_desired"]) == ("applied", 2)
        assert root.state.journal is None
    assert at > 5


@pytest.mark.parametrize("is_again", [False, True])
def test_killed_before_a_new_file_has_its_name_nothing_is_left_beside_it(tmp_path, is_again):
    at, was_killed = 0, True
    while was_killed:
        at += 1
        root = ConfigRoot(tmp_path / str(at))
        root.apply(ONE)
        old, digest = root.files, root.job(TWO)
        was_killed = killed_at_rename(root, lambda: Program(root.given).apply(digest), at)  # noqa: B023
        if was_killed and is_again:  # the first of what the undoing renames, if it does
            killed_at_rename(root, lambda: Program(root.given).boot(), 1)  # noqa: B023
        if was_killed:
            assert Program(root.given).boot() == DONE
            assert root.files == old
    assert at > 3


def killed_at_rename(root, run, at):
    """Run it in a child; its ``at``-th rename in the tree does not happen: it is killed."""
    child = os.fork()
    if child == 0:
        left, rename = [at], Path.rename

        def falls(path, target):
            left[0] -= path.is_relative_to(root.tree)
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return rename(path, target)

        Path.rename = falls
        run()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_killed_while_it_undoes_it_is_undone_by_the_next(tmp_path):
    for at in range(1, 7):
        root = ConfigRoot(tmp_path / str(at))
        root.apply(ONE)
        old, digest = root.files, root.job(TWO)
        assert killed(root, digest, 6, is_after=True)
        assert killed(root, digest, at, is_after=False)
        assert Program(root.given).boot() == DONE
        assert root.files == old


def test_what_was_never_done_is_not_undone_and_anothers_file_is_left(root):
    root.apply(ONE)
    old, digest = root.files, root.job(TWO)
    assert killed(root, digest, 1, is_after=True)
    done, *others = [each for each in root.state.journal.steps if hasattr(each, "path")]
    never = next(each for each in others if isinstance(each, PutFile))
    mine = root.tree / never.path
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_bytes(b"an administrator's own\n")
    undone = []

    class Watched(Machine):
        def do(self, step):
            undone.append(getattr(step, "path", ""))
            super().do(step)

    assert Program(root.given, Watched(str(root.tree), "")).boot() == DONE
    first = [path for path in undone if path][:1]
    assert first == [done.path]
    assert mine.read_bytes() == b"an administrator's own\n"
    assert {**root.files, never.path: ""} == {**old, never.path: ""}


def test_what_does_not_go_back_at_a_start_keeps_its_journal(root, tmp_path):
    other = ConfigRoot(tmp_path / "other")
    other.apply(ONE)
    killed(other, other.job(TWO), 1, is_after=True)
    paths = [getattr(each, "path", "") for each in other.state.journal.steps]
    root.apply(ONE)
    assert killed(root, root.job(TWO), paths.index(DEAF) + 1, is_after=True)
    machine = Stubborn(str(root.tree), DEAF, is_deaf=True)
    assert Program(root.given, machine).boot() == NOT_DONE
    assert f"/{DEAF} is not as it was" in root.told["text"]
    assert root.state.journal is not None
    assert Program(root.given).boot() == DONE
    assert root.state.journal is None


def test_a_document_that_is_killed_twice_on_its_way_is_left(root):
    root.apply(ONE)
    old, digest = root.files, root.job(TWO)
    assert killed(root, digest, 2, is_after=True)
    count = len(root.state.journal.steps)
    assert killed(root, digest, count + 2, is_after=True)  # the first is undone by then
    Program(root.given).apply(digest)
    assert root.told["code"] == "interrupted"
    assert root.files == old


def test_what_cannot_be_undone_is_told_and_nothing_else_is_begun(root):
    root.apply(ONE)
    digest = root.job(TWO)
    assert killed(root, digest, 3, is_after=True)
    machine = Stubborn(str(root.tree), "etc/resolv.conf")
    assert Program(root.given, machine).apply(digest) == NOT_DONE
    assert root.told["code"] == "undo"
    assert root.state.journal is not None
    assert Program(root.given).boot() == DONE


def test_a_state_that_cannot_be_read_is_told_and_nothing_is_done(root):
    digest = root.job(ONE)
    (root.given.state / states.NAME).write_bytes(b"\xc1")
    before = root.files
    assert command([*options(root), "apply", digest]) == NOT_DONE
    assert (root.told["code"], root.files) == ("state", before)
    assert root.told["is_unread"], "no word that nothing is applied"
    assert command([*options(root), "forget"]) == 0
    assert command([*options(root), "apply", digest]) == DONE
    assert root.told["state"] == "applied"


def test_root_shows_what_it_knows(root, capsys):
    root.apply(ONE)
    assert command([*options(root), "show"]) == 0
    shown = capsys.readouterr().out
    assert NODE in shown
    assert root.pen.key_id in shown
    assert "generation 1" in shown


@pytest.mark.parametrize("digest", ["..", "0A" * 32, "0a" * 31])
def test_a_digest_has_one_form(root, digest):
    with pytest.raises(SystemExit):
        command([*options(root), "apply", digest])


def test_two_run_one_after_the_other(root):
    first, second = root.job(ONE), root.job(TWO)
    words = [sys.executable, "-m", "roost_agent.config_apply", *options(root), "apply"]
    runs = [subprocess.Popen([*words, each], stderr=subprocess.DEVNULL) for each in (first, second)]
    ends = time.monotonic() + 20
    assert [run.wait(timeout=max(ends - time.monotonic(), 0)) for run in runs] == [DONE, DONE]
    assert root.state.journal is None
    assert root.state.applied.digest.hex() == second or root.told["code"] == "replayed"


def options(root):
    given = root.given
    return [
        f"--root={given.root}",
        f"--state={given.state}",
        f"--jobs={given.jobs}",
        f"--told={given.told}",
        "--systemctl=",
    ]


def test_the_word_that_a_node_is_reached_ends_no_program_that_does_not_wait_for_it_yet():
    """Root's one-shot takes a moment to start, and the agent says it again and again."""
    program = subprocess.Popen([sys.executable, "-Ic", "import time; time.sleep(0.3)"])
    program.send_signal(CONFIRM)
    assert program.wait(10) == 0


BOOT = "proc/sys/kernel/random/boot_id"


def test_an_argument_that_is_taken_out_waits_for_the_boot_that_ends_it(root):
    (root.tree / BOOT).parent.mkdir(parents=True)
    (root.tree / BOOT).write_text("one\n")
    with_two = {"kernel": {"cmdline": {"isolcpus": "2-3", "nosoftlockup": True}}}
    root.apply(with_two)
    (root.tree / BOOT).write_text("two\n")
    (root.tree / "proc/cmdline").write_text("root=/dev/sda1 isolcpus=2-3 nosoftlockup\n")
    assert Program(root.given).boot() == DONE
    assert (root.told["state"], root.told["pending"]) == ("applied", [])
    told = root.apply({"kernel": {"cmdline": {"nosoftlockup": True}}})
    assert (told["state"], told["pending"]) == ("pending-reboot", ["kernel.cmdline.isolcpus"])
    told = root.apply(ONE)  # the whole section's arguments are gone, and another boot has not come
    assert told["state"] == "pending-reboot"
    assert sorted(told["leaving"]) == ["kernel.cmdline.isolcpus", "kernel.cmdline.nosoftlockup"]
    looked = look(told_by(root.given.told), Machine(root.given.root))
    assert sorted(looked.pending) == sorted(told["leaving"])
    assert root.apply(with_two)["state"] == "applied"  # wanted again before a boot: it is there
    root.apply(ONE)
    (root.tree / BOOT).write_text("three\n")
    (root.tree / "proc/cmdline").write_text("root=/dev/sda1\n")
    assert Program(root.given).boot() == DONE
    assert (root.told["state"], root.told["pending"]) == ("applied", [])


def test_an_argument_that_never_came_into_effect_waits_for_nothing_when_it_goes(root):
    root.apply({"kernel": {"cmdline": {"isolcpus": "2-3"}}})
    assert root.apply({})["state"] == "applied"


RESOLVED = "etc/systemd/resolved.conf.d/60-roost.conf"
STUB = "/run/systemd/resolve/stub-resolv.conf"


def test_a_resolver_that_changes_hands_leaves_no_file_of_the_one_before(root):
    root.apply({"dns": {"servers": ["192.0.2.53"]}})
    resolv = root.tree / "etc/resolv.conf"
    resolv.unlink()
    resolv.symlink_to(STUB)  # somebody has begun to use systemd-resolved
    root.apply({"dns": {"servers": ["192.0.2.54"]}})
    assert "192.0.2.54" in root.files[RESOLVED]
    assert root.files["etc/resolv.conf"] == STUB
    resolv.unlink()
    resolv.write_text("nameserver 192.0.2.1\n")  # and has ended it
    root.apply({"dns": {"servers": ["192.0.2.55"]}})
    assert RESOLVED not in root.files
    assert "192.0.2.55" in root.files["etc/resolv.conf"]
    root.apply({})
    assert root.files["etc/resolv.conf"] == "nameserver 192.0.2.1\n"


def test_what_somebody_else_has_written_into_the_former_file_is_his(root):
    root.apply({"time": {"servers": ["192.0.2.1"]}})
    mine = root.tree / "etc/systemd/timesyncd.conf.d/60-roost.conf"
    (root.tree / "etc/chrony/sources.d").mkdir(parents=True)
    mine.write_text("[Time]\n")
    root.apply({"time": {"servers": ["192.0.2.2"]}})
    assert mine.read_text() == "[Time]\n"
    assert "192.0.2.2" in root.files["etc/chrony/sources.d/roost.sources"]
