import errno
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import msgspec
import pytest

from roost_agent.discovery.runner import Deadlines, run_probes
from roost_agent.discovery.section import ABSENT, Section
from roost_agent.ports import SystemClock

SHORT = Deadlines(class_ms=100, run_ms=2_000)


def good(reader):
    section = Section()
    section.put("0", "path", reader.root)
    return section


@pytest.fixture
def stuck():
    """A probe that hangs like a thread in the kernel, until the test is over."""
    gate = SimpleQueue()

    def probe(reader):
        gate.get()
        return Section()

    yield probe
    for _ in range(9):
        gate.put(None)


def run(tree, probes, deadlines=SHORT):
    return run_probes(tree.reader(), probes, SystemClock(), deadlines)


def test_each_section_has_its_items_age_and_cost(tree):
    before = SystemClock().wall_ms()
    outcome = run(tree, {"good": good})
    assert outcome.document["v"] == 1
    entry = outcome.document["sections"]["good"]
    assert entry["items"] == {"0": {"path": str(tree.root)}}
    assert entry["missing"] == {}
    assert before <= entry["as_of_ms"] <= SystemClock().wall_ms()
    assert entry["cost_ms"] >= 0
    assert not outcome.is_stuck
    msgspec.msgpack.encode(outcome.document)


def test_a_probe_that_raises_costs_no_other(tree, caplog):
    def broken(reader):
        raise ZeroDivisionError

    sections = run(tree, {"a": good, "broken": broken, "z": good}).document["sections"]
    assert sections["broken"]["missing"] == {"*": "probe-error"}
    assert sections["a"]["items"] == sections["z"]["items"]
    assert "class broken is empty" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_an_os_error_that_escapes_keeps_its_reason(tree):
    def denied(reader):
        raise OSError(errno.EACCES, "no")

    sections = run(tree, {"denied": denied}).document["sections"]
    assert sections["denied"]["missing"] == {"*": "denied"}


def test_a_probe_that_hangs_costs_no_other(tree, stuck):
    outcome = run(tree, {"a": good, "stuck": stuck, "also": stuck, "z": good})
    sections = outcome.document["sections"]
    assert sections["stuck"]["missing"] == sections["also"]["missing"] == {"*": "timeout"}
    assert sections["stuck"]["cost_ms"] >= 100
    assert sections["a"]["items"] == sections["z"]["items"] != {}
    assert outcome.is_stuck


def test_a_timeout_that_a_probe_raises_is_not_a_hang(tree):
    def slow_device(reader):
        raise TimeoutError(errno.ETIMEDOUT, "device")

    outcome = run(tree, {"slow": slow_device})
    assert outcome.document["sections"]["slow"]["missing"] == {"*": "io-error"}
    assert not outcome.is_stuck


def test_the_whole_run_has_a_deadline(tree, stuck):
    deadlines = Deadlines(class_ms=10_000, run_ms=200)
    sections = run(tree, {"stuck": stuck, "late": good}, deadlines).document["sections"]
    assert sections["stuck"]["missing"] == sections["late"]["missing"] == {"*": "timeout"}
    assert sections["late"]["cost_ms"] < 10_000


def test_what_does_not_fit_is_counted(tree):
    def wordy(reader):
        section = Section()
        section.put("0", "text", "x" * 600)
        return section

    assert run(tree, {"wordy": wordy}).document["sections"]["wordy"]["dropped"] == 1


def test_an_empty_section_keeps_its_reason(tree):
    sections = run(tree, {"none": lambda reader: Section.empty(ABSENT)}).document["sections"]
    assert sections["none"]["items"] == {}
    assert sections["none"]["missing"] == {"*": "absent"}


def test_more_classes_than_a_document_holds_are_refused(tree):
    with pytest.raises(ValueError, match="at most 64"):
        run(tree, {str(number): good for number in range(65)})


def test_a_run_leaves_no_thread_behind_that_did_not_hang(tree):
    outcome = run(tree, {str(number): good for number in range(20)})
    assert not outcome.is_stuck
    with ThreadPoolExecutor(max_workers=1) as executor:  # the interpreter still starts threads
        assert executor.submit(lambda: 7).result() == 7
