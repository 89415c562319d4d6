import sqlite3
from hashlib import sha256

import msgspec
import pytest

from roost_agent.errors import StorageError
from roost_agent.update.events import Record, State
from roost_agent.update.journal import JOBS_MAX, Journal
from roost_agent.update.kept import Hold, Kept
from roost_agent.update.step import Step

JOB = "a" * 32


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "updates")
    made.open()
    yield made
    made.close()


def recorded(journal, step, job=JOB, *, ended=None, outcome=""):
    record = Record(State(step, 5, "b1", tries=1, epoch=3), ended, "why not")
    return journal.record(job, 1, record, 1_000, outcome)


def test_what_was_recorded_is_there_after_a_kill(journal, tmp_path):
    assert journal.opened() is None
    journal.begin(JOB, 1, b"offer", Kept())
    recorded(journal, Step.PRECHECK)
    recorded(journal, Step.DOWNLOAD, ended=Step.PRECHECK)
    journal.keep(JOB, 1, Kept(reboot=True, was_reached=True))
    other = Journal(tmp_path / "updates")  # nobody has closed the first one
    other.open()
    found = other.opened()
    other.close()
    assert (found.job, found.attempt, found.offer) == (JOB, 1, b"offer")
    assert found.kept == Kept(reboot=True, was_reached=True)
    assert found.state == State(Step.DOWNLOAD, 5, "b1", tries=1, epoch=3)
    assert journal.count(JOB, 1) == 2


def test_it_is_on_the_disk_before_it_says_so(journal):
    assert journal._file.db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._file.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_each_line_has_the_hash_of_the_one_before(journal):
    journal.begin(JOB, 1, b"offer", Kept())
    first, second = recorded(journal, Step.PRECHECK), recorded(journal, Step.DOWNLOAD)
    assert [each.receipt for each in journal.lines()] == [first, second]
    (state,) = journal._file.db.execute("SELECT state FROM line WHERE n = 2").fetchone()
    said = msgspec.json.encode((JOB, 1, 1_000, "", "why not", state))
    assert second == sha256(bytes.fromhex(first) + said).hexdigest()


def test_the_oldest_jobs_that_have_ended_are_forgotten_with_their_lines(journal):
    jobs = [f"{each:032x}" for each in range(JOBS_MAX + 3)]
    for job in jobs:
        journal.begin(job, 1, b"offer", Kept())
        recorded(journal, Step.PRECHECK, job)
        recorded(journal, Step.END, job, outcome="succeeded")
    known = {job for job, _ in journal.known()}
    assert known == set(jobs[-len(known) :])
    assert JOBS_MAX - 1 <= len(known) <= JOBS_MAX
    assert {each.job for each in journal.lines()} == known
    assert journal.opened() is None


def test_a_hold_is_kept_and_ended(journal):
    journal.set_hold(Hold(5, "inventory day"))
    assert journal.hold() == Hold(5, "inventory day")
    journal.set_hold(Hold(6, "longer"))
    assert journal.hold() == Hold(6, "longer")
    journal.set_hold(None)
    assert journal.hold() is None


def test_it_can_be_read_beside_the_agent_and_not_written(journal, tmp_path):
    journal.begin(JOB, 1, b"offer", Kept())
    recorded(journal, Step.PRECHECK)
    reader = Journal(tmp_path / "updates")
    reader.open_to_read()
    (line,) = reader.lines()
    assert (line.step, line.why, line.at_ms) == ("precheck", "why not", 1_000)
    with pytest.raises(StorageError, match="readonly"):
        reader.begin("b" * 32, 1, b"", Kept())
    reader.close()
    with pytest.raises(StorageError, match="not open"):
        reader.lines()
    with pytest.raises(StorageError, match="unable to open"):
        Journal(tmp_path / "none").open_to_read()


def test_a_write_that_fails_leaves_nothing_of_itself(journal, tmp_path):
    journal.begin(JOB, 1, b"offer", Kept())
    with pytest.raises(StorageError, match="UNIQUE"):
        journal.begin(JOB, 1, b"again", Kept())
    assert journal.opened().offer == b"offer"
    with sqlite3.connect(tmp_path / "updates/journal.db") as base:
        base.execute("INSERT INTO line VALUES (9, ?, 1, 0, '', '', 'junk', x'')", [JOB])
    base.close()
    assert journal.opened() is None  # it is given up: the agent has to go on
    assert journal.known() == {(JOB, 1): "failed"}
    assert journal.lines()[-1].step == "?"
