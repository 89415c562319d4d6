"""Generations: a machine that applies what is told, and compares with what is."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from roost_agent.inventory.delta import apply
from roost_agent.inventory.ledger import Known, asked, dump, load, probed
from roost_agent.inventory.snapshot import digest_of, section
from roost_protocol.inventory import Delta, Section, SnapshotPart
from roost_protocol.limits import CHUNK_BYTES_MAX

BOOT = b"b" * 16


def told(known, found):
    return probed(known, found, boot_id=BOOT, now_ms=1)


def cpu(cores):
    return {"cpu": section({"0": {"cores": cores}}, {}, as_of_ms=1)}


def test_the_first_probe_is_a_full_snapshot_of_generation_one():
    change = told(Known(), cpu(4))
    assert [(type(d), d.gen, d.full) for d in change.documents] == [(SnapshotPart, 1, True)]
    assert change.known.gen == 1


def test_a_first_probe_that_finds_nothing_is_told_too():
    assert told(Known(), {}).known.gen == 1


def test_the_next_ones_are_deltas():
    first = told(Known(), cpu(4)).known
    (delta,) = told(first, cpu(8)).documents
    assert (type(delta), delta.base_gen, delta.gen) == (Delta, 1, 2)


def test_no_change_tells_nothing():
    first = told(Known(), cpu(4)).known
    assert told(first, cpu(4)) is None


def test_a_delta_too_big_for_a_report_is_a_snapshot_of_its_sections():
    first = told(Known(), cpu(4)).known
    items = {f"p{n:04}": {"version": "x" * 200} for n in range(2 * CHUNK_BYTES_MAX // 200)}
    change = told(first, {"package": section(items, {}, as_of_ms=1)})
    assert {type(d) for d in change.documents} == {SnapshotPart}
    assert {(d.full, d.gen, tuple(d.sections)) for d in change.documents} == {
        (False, 2, ("package",))
    }


def test_a_question_is_answered_by_what_is_known():
    first = told(Known(), {**cpu(4), "nic": section({}, {}, as_of_ms=1)}).known
    (some,) = asked(first, ["nic"], boot_id=BOOT, now_ms=2).documents
    (full,) = asked(first, ["nic", "gone"], boot_id=BOOT, now_ms=2).documents
    assert (some.full, list(some.sections)) == (False, ["nic"])
    assert full.full


def test_a_question_before_the_first_probe_has_no_answer():
    assert asked(Known(), None, boot_id=BOOT, now_ms=2) is None


def test_what_is_known_survives_the_disk():
    known = told(Known(), cpu(4)).known
    assert load(dump(known)) == known


class LedgerMachine(RuleBasedStateMachine):
    """A central that applies every document in order."""

    def __init__(self):
        super().__init__()
        self.known, self.central, self.gen, self.parts = Known(), {}, 0, []

    def take(self, change):
        if change is None:
            return
        self.known = load(dump(change.known))
        for document in change.documents:
            if isinstance(document, Delta):
                assert document.base_gen == self.gen
                self.central = apply(self.central, document.sections)
            else:
                self.parts.append(document)
                if document.part == document.parts:
                    self.replace()
            self.gen = document.gen

    def replace(self):
        whole = {} if self.parts[0].full else dict(self.central)
        fresh = {}
        for part in self.parts:
            for name, piece in part.sections.items():
                items, missing = fresh.setdefault(name, ({}, {}))
                items.update(piece.items)
                missing.update(piece.missing)
        for name, (items, missing) in fresh.items():
            whole[name] = section(items, missing, as_of_ms=0)
        self.central, self.parts = whole, []

    @rule(
        name=st.sampled_from(["cpu", "nic", "package"]),
        count=st.sampled_from([0, 1, 2, 900]),
        value=st.integers(0, 1),
    )
    def hardware_is_probed(self, name, count, value):
        items = {f"i{n}": {"v": value, "text": "x" * 250} for n in range(count)}
        self.take(told(self.known, {name: section(items, {}, as_of_ms=3)}))

    @rule(names=st.one_of(st.none(), st.lists(st.sampled_from(["cpu", "nic", "other"]))))
    def central_asks(self, names):
        self.take(asked(self.known, names, boot_id=BOOT, now_ms=4))

    @invariant()
    def central_has_what_the_node_told(self):
        assert self.gen == self.known.gen
        assert all(isinstance(each, Section) for each in self.central.values())
        if self.gen:
            assert digest_of(self.central) == self.known.digest == digest_of(self.known.sections)


LedgerMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
test_central_can_follow_every_generation = LedgerMachine.TestCase
