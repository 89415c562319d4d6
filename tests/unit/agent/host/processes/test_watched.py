"""One process, as a transcript: what happens, and what is done about it."""

import pytest

from roost_agent.host.processes.definition import Definition, Mode
from roost_agent.host.processes.event import (
    Answered,
    Check,
    Checked,
    Died,
    Explained,
    Look,
    Looked,
    Ping,
    Restart,
    Restarted,
    Say,
)
from roost_agent.host.processes.row import FLAPS_MS, NO_HELPER_MS
from roost_agent.host.processes.watched import Phase, Watched

BEGIN_MS = 100_000


class Story:
    """One process in time; ``done`` is all that was asked for but words and looks."""

    def __init__(self, **said):
        given = {"process": "pump", "file": "f", "service": "pump", "pidfile": "/run/p"} | said
        self.now_ms = BEGIN_MS
        self.one = Watched(Definition(**given), BEGIN_MS)
        self.done = []
        self.words = []
        self.looks = 0
        self.pass_s(0)

    def tell(self, event):
        self._take(self.one.handle(event, self.now_ms))

    def pass_s(self, seconds):
        """Let time pass, with every tick that is due."""
        end_ms = self.now_ms + round(seconds * 1000)
        while (due_ms := self.one.due_ms()) is not None and due_ms <= end_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self._take(self.one.tick(self.now_ms))
        self.now_ms = end_ms

    def runs(self, pid=7):
        self.tell(Looked("pump", pid))
        return self

    def dies(self, pid=7):
        self.tell(Died("pump", pid))

    def is_started(self, pid=None):
        """The helper has started it, and it is there."""
        self.tell(Restarted("pump"))
        if pid is not None:
            self.tell(Looked("pump", pid))

    def take(self):
        done, self.done = self.done, []
        return done

    def _take(self, actions):
        for each in actions:
            match each:
                case Say(text=text):
                    self.words.append(text)
                case Look():
                    self.looks += 1
                case _:
                    self.done.append(each)
        self.one.check_invariants()


SOFT, HARD = Restart("pump", is_hard=False), Restart("pump", is_hard=True)


def test_what_is_there_at_the_start_runs_at_once():
    story = Story().runs()
    assert (story.one.state, story.one.pid, story.take()) == ("running", 7, [])


def test_what_never_comes_is_down_after_its_startup_time_and_started_but_never_stopped():
    story = Story(startuptime=5)
    story.pass_s(4.9)
    assert (story.one.state, story.take()) == ("starting", [])
    story.pass_s(0.2)
    assert story.take() == [SOFT]
    for _ in range(3):  # it may run, and only its pid file be elsewhere
        story.is_started()
        story.pass_s(11)
    assert HARD not in story.take()


def test_a_death_is_answered_with_a_restart_at_once():
    story = Story().runs()
    story.dies()
    assert story.take() == [SOFT]
    assert (story.one.state, story.one.reason) == ("restarting", "process 7 ended")


def test_the_death_of_another_number_is_nobodys():
    story = Story().runs()
    story.dies(8)
    assert (story.one.state, story.take()) == ("running", [])


def test_it_settles_as_long_as_debounce_after_its_startup_time():
    story = Story(startuptime=5, debounce=20).runs()
    story.dies()
    story.is_started(9)
    assert story.one.state == "settling"
    story.pass_s(24.9)
    assert (story.one.state, story.one.in_row) == ("settling", 1)
    story.pass_s(0.2)
    assert (story.one.state, story.one.in_row, story.one.restarts) == ("running", 0, 1)
    assert story.one.reason == ""


def fall(story, times, pid=7):
    """It dies at once after each start."""
    for turn in range(times):
        story.dies(pid + turn)
        story.pass_s(10)
        story.is_started(pid + turn + 1)
    return pid + times


def test_the_severity_counts_once_the_last_restart_in_a_row_failed():
    story = Story(restarts=3).runs()
    last = fall(story, 3)
    assert not story.one.has_failed
    story.dies(last)
    assert (story.one.has_failed, story.one.state) == (True, "failed")
    story.pass_s(10)
    assert story.take() == [SOFT] * 4  # and it goes on being started


def test_without_restarts_the_first_death_counts():
    story = Story(restarts=0).runs()
    story.dies()
    assert (story.one.has_failed, story.take()) == (True, [SOFT])


def test_restarts_in_a_row_are_their_interval_apart():
    story = Story(interval=8).runs()
    story.dies()
    assert story.take() == [SOFT]
    story.pass_s(1)
    story.is_started(8)
    story.dies(8)
    story.pass_s(6.9)
    assert story.take() == []
    story.pass_s(0.2)
    assert story.take() == [SOFT]


def test_an_interval_of_nothing_is_a_second():
    story = Story(interval=0).runs()
    story.dies()
    story.is_started(8)
    story.dies(8)
    assert story.take() == [SOFT]
    story.pass_s(1)
    assert story.take() == [SOFT]


def test_a_failure_is_over_when_it_has_settled_and_not_when_it_is_back():
    story = Story(restarts=1).runs()
    story.dies(fall(story, 1))
    story.pass_s(10)
    story.is_started(20)
    story.pass_s(20)
    assert (story.one.state, story.one.has_failed) == ("settling", True)
    story.pass_s(5)
    assert (story.one.state, story.one.has_failed) == ("running", False)


def test_the_count_begins_anew_once_it_has_settled():
    story = Story(restarts=2).runs()
    last = fall(story, 2)
    story.pass_s(30)
    last = fall(story, 2, last)
    assert not story.one.has_failed
    story.dies(last)
    assert story.one.has_failed


def test_a_restart_by_others_counts_as_one():
    story = Story(service="", restarts=2).runs()
    for pid in (8, 9):
        story.dies(pid - 1)
        story.pass_s(1.5)
        story.runs(pid)
    assert (story.one.state, story.one.in_row, story.one.has_failed) == ("settling", 2, False)
    story.dies(9)
    story.runs(10)
    assert (story.one.has_failed, story.one.state) == (True, "settling")
    assert story.take() == []


def test_others_may_change_it_before_its_death_is_told():
    story = Story().runs(7)
    story.runs(8)
    assert (story.one.pid, story.one.in_row) == (8, 1)
    story.dies(7)
    assert (story.one.state, story.take()) == ("settling", [])


def test_what_nobody_restarts_has_failed_after_two_seconds():
    story = Story(service="").runs()
    story.dies()
    story.pass_s(1.9)
    assert not story.one.has_failed
    story.pass_s(0.2)
    assert (story.one.has_failed, story.take()) == (True, [])


def test_while_it_is_away_it_is_looked_for_four_times_a_second():
    story = Story(service="").runs()
    story.pass_s(0.5)
    before = story.looks
    story.dies()
    story.pass_s(1.9)
    assert story.looks - before >= 7


@pytest.mark.parametrize("error", ["unknown", "catalogue", "gone", "bad"])
def test_without_an_entry_of_the_catalogue_it_is_watched_and_tried_again_each_minute(error):
    story = Story().runs()
    story.dies()
    assert story.take() == [SOFT]
    story.tell(Restarted("pump", error, "no such name"))
    assert story.one.in_row == 0
    story.pass_s(3)
    assert (story.one.has_failed, story.take()) == (True, [])
    assert story.one.reason == "process 7 ended; not restarted: no such name"
    story.pass_s(NO_HELPER_MS / 1000)
    assert len(story.take()) == 1
    story.tell(Restarted("pump", error, "no such name"))
    assert story.words.count("not restarted: no such name") == 1
    assert story.one.reason == "process 7 ended; not restarted: no such name"


def test_each_death_asks_anew_whether_it_may_be_restarted():
    story = Story().runs()
    story.dies()
    story.tell(Restarted("pump", "unknown", "no such name"))
    story.runs(8)
    story.take()
    story.pass_s(60)
    story.dies(8)
    assert story.take() == [SOFT]


@pytest.mark.parametrize("error", ["rate", "busy"])
def test_a_helper_that_is_busy_is_asked_again_and_that_counts_for_nothing(error):
    story = Story().runs()
    story.dies()
    story.tell(Restarted("pump", error, "later"))
    assert story.one.in_row == 0
    story.pass_s(1.1)
    assert story.take() == [SOFT, SOFT]


def test_a_start_that_failed_counts():
    story = Story(restarts=1).runs()
    story.dies()
    story.tell(Restarted("pump", "failed", "Job failed"))
    assert (story.one.has_failed, story.one.in_row) == (True, 1)
    story.pass_s(5)
    assert story.take() == [SOFT, SOFT]


def test_a_start_that_brought_nobody_is_tried_with_a_stop_before():
    story = Story(startuptime=5).runs()
    story.dies()
    story.is_started()
    assert story.one.state == "starting"
    story.pass_s(5.1)
    assert story.take() == [SOFT, HARD]


def test_it_may_be_seen_before_the_helper_answers():
    story = Story().runs()
    story.dies()
    story.runs(8)
    assert story.one.state == "settling"
    story.is_started()
    assert (story.one.state, story.one.in_row, story.one.restarts) == ("settling", 1, 1)


def test_it_does_not_settle_before_the_helper_answers():
    story = Story().runs()
    story.dies()
    story.runs(8)
    story.pass_s(60)
    assert (story.one.state, story.one.in_row) == ("settling", 1)
    story.tell(Restarted("pump", "unknown", "no such name"))
    assert (story.one.in_row, story.one.restarts) == (1, 1)
    story.pass_s(26)
    assert (story.one.state, story.one.in_row) == ("running", 0)


def test_what_falls_before_the_helper_answers_has_failed_again():
    story = Story().runs()
    story.dies()
    story.runs(8)
    story.dies(8)
    story.is_started()
    assert story.one.reason == "it ended at once"
    story.pass_s(5)
    assert story.take() == [SOFT, SOFT]


def active(**said):
    return Story(mode=Mode.ACTIVE, port=2101, period=10, timeout=5, threshold=2, **said).runs()


def test_pings_begin_after_its_startup_time():
    story = active(startuptime=5)
    story.pass_s(4.9)
    assert story.take() == []
    story.pass_s(0.2)
    assert story.take() == [Ping("pump", 1)]


@pytest.mark.parametrize("is_by_others", [False, True])
def test_whoever_started_it_again_it_is_asked_after_its_startup_time(is_by_others):
    story = active(startuptime=60, debounce=20)
    story.pass_s(60)
    story.tell(Answered("pump", 1))
    if is_by_others:
        story.runs(8)
    else:
        story.dies()
        story.runs(8)  # seen while the helper still waits for its unit
        story.is_started()
    story.take()
    story.pass_s(59.9)
    assert (story.one.state, story.take()) == ("settling", [])
    story.pass_s(0.2)
    assert story.take() == [Ping("pump", 2)]


def test_one_that_hangs_is_stopped_and_started():
    story = active()
    story.pass_s(5)
    story.tell(Answered("pump", 1))
    story.pass_s(10)
    story.pass_s(10)
    assert story.take() == [Ping("pump", 1), Ping("pump", 2), Ping("pump", 3)]
    story.pass_s(5)
    assert story.take() == [HARD]
    assert story.one.reason == "it did not answer 2 pings"
    story.dies()  # by the stop: that is no failure of the new one
    story.is_started(8)
    assert (story.one.state, story.one.in_row) == ("settling", 1)


def test_the_stop_may_be_seen_after_the_helpers_answer():
    story = active()
    story.pass_s(25)
    story.is_started()
    story.dies()
    assert (story.one.state, story.one.phase) == ("starting", Phase.STARTING)
    story.runs(8)
    assert story.one.state == "settling"


def test_one_that_hangs_and_answers_again_is_back_by_itself():
    story = active(service="")
    story.pass_s(28)
    assert story.one.has_failed
    story.tell(Answered("pump", story.take()[-1].seq))
    assert story.one.state == "settling"


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (Mode.PROBE, {"script": "/x"}),
        (Mode.SOCKET, {"socket": "/run/s"}),
        (Mode.NOTIFY, {"service": "pump"}),
    ],
)
def test_one_that_is_not_well_so_often_in_a_row_is_stopped_and_started(mode, said):
    story = Story(mode=mode, period=10, threshold=2, startuptime=5, **said).runs()
    story.pass_s(5)
    story.tell(Answered("pump", 1, "it says no"))
    story.pass_s(10)
    assert story.take() == [Ping("pump", 1), Ping("pump", 2)]
    assert story.one.state == "running"
    story.tell(Answered("pump", 2, "it says no"))
    assert (story.take(), story.one.reason) == ([HARD], "2 times in a row: it says no")
    story.dies()
    story.is_started(8)
    story.pass_s(5)
    assert story.take() == [Ping("pump", 3)]
    story.dies(8)  # its death counts as well
    assert story.one.reason == "process 8 ended"


def test_what_could_not_be_asked_says_nothing():
    story = Story(mode=Mode.PROBE, script="/x", period=10, threshold=1).runs()
    story.pass_s(5)
    story.tell(Answered("pump", 1, None))
    assert (story.one.state, story.take()) == ("running", [Ping("pump", 1)])
    story = script()
    story.pass_s(5)
    story.tell(Checked("pump", "status 3"))
    story.tell(Restarted("pump", "unknown", "no such name"))
    story.pass_s(10)
    story.tell(Checked("pump", None))
    assert story.one.state == "failed"


def test_why_it_ended_is_told_with_its_end_and_not_with_the_next():
    story = Story(mode=Mode.NOTIFY).runs()
    story.dies()
    story.tell(Explained("pump", "its watchdog ran out"))
    assert story.one.reason == "process 7 ended: its watchdog ran out"
    story.is_started(8)
    story.dies(8)
    story.tell(Restarted("pump", "unknown", "no such name"))
    story.tell(Explained("pump", "it dumped core"))
    assert story.one.reason == "process 8 ended: it dumped core"
    story.runs(9)
    story.pass_s(30)
    story.tell(Explained("pump", "of long ago"))
    assert (story.one.state, story.one.reason) == ("running", "")


def flap(story, times, every_s, pid=7):
    """It settles each time, and falls."""
    for turn in range(times):
        story.dies(pid + turn)
        story.is_started(pid + turn + 1)
        story.pass_s(every_s)
    return pid + times


def test_what_settles_and_falls_more_often_than_it_may_be_restarted_has_failed():
    story = Story(restarts=3, debounce=20, startuptime=5).runs()
    last = flap(story, 3, 30)
    assert (story.one.state, story.one.has_failed) == ("running", False)
    story.dies(last)
    assert (story.one.state, story.one.has_failed) == ("failed", True)
    story.is_started(last + 1)
    story.pass_s(30)
    assert (story.one.state, story.one.has_failed) == ("settling", True)


def test_it_is_over_once_so_many_falls_are_long_ago():
    story = Story(restarts=3, debounce=20, startuptime=5).runs()
    began_ms = story.now_ms
    flap(story, 4, 30)
    story.pass_s((began_ms + FLAPS_MS - story.now_ms) / 1000 - 1)
    assert story.one.has_failed
    story.pass_s(2)
    assert (story.one.state, story.one.has_failed) == ("running", False)


def test_it_is_not_over_while_it_goes_on():
    story = Story(restarts=3, debounce=20, startuptime=5).runs()
    last = flap(story, 4, 30)
    flap(story, 60, 30, last)
    assert story.one.has_failed


def test_falls_far_apart_are_none_too_many_nor_is_one_row_more_than_one_fall():
    story = Story(restarts=3).runs()
    flap(story, 20, 250)
    assert not story.one.has_failed
    story = Story(restarts=3).runs()
    last = 7
    for _ in range(3):
        last = fall(story, 3, last)
        story.pass_s(30)
    assert not story.one.has_failed


def test_restarts_by_others_that_settle_each_time_are_falls_too():
    story = Story(service="", restarts=2).runs()
    for pid in (8, 9, 10):
        story.runs(pid)
        story.pass_s(30)
    assert story.one.has_failed


def script(**said):
    return Story(mode=Mode.STATUS, script="/x", pidfile="", period=10, startuptime=5, **said)


def test_a_script_is_run_each_period_once_it_has_ended():
    story = script()
    story.pass_s(5)
    assert story.take() == [Check("pump")]
    story.pass_s(60)
    assert story.take() == []
    story.tell(Checked("pump", ""))
    assert story.one.state == "running"
    story.pass_s(10)
    assert story.take() == [Check("pump")]


def test_a_script_that_complains_is_a_failure_and_the_next_look_comes_after_the_start():
    story = script()
    story.pass_s(5)
    story.tell(Checked("pump", "status 3: stopped"))
    assert story.take() == [Check("pump"), HARD]
    assert story.one.reason == "status 3: stopped"
    story.tell(Restarted("pump"))
    story.pass_s(4.9)
    assert story.take() == []
    story.pass_s(0.2)
    assert story.take() == [Check("pump")]
    story.tell(Checked("pump", ""))
    assert story.one.state == "settling"
    story.pass_s(21)
    assert story.one.state == "running"


def test_a_complaint_of_before_its_restart_is_no_failure_after_it():
    story = script(interval=20)
    story.pass_s(5)
    story.tell(Checked("pump", "status 3"))
    story.tell(Restarted("pump"))
    story.pass_s(5)
    story.tell(Checked("pump", "status 3"))
    story.pass_s(15)
    assert story.take() == [Check("pump"), HARD, Check("pump"), Check("pump"), HARD]
    story.tell(Restarted("pump"))
    story.tell(Checked("pump", "status 3"))  # of the script that ran while it was restarted
    assert (story.one.state, story.one.in_row) == ("starting", 2)
