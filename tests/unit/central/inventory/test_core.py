import copy
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from roost_central.inventory.core import (
    Applied,
    Known,
    Unfit,
    apply_delta,
    apply_snapshot,
    rewind,
)
from roost_central.inventory.facts import FieldChange, StarredValue
from roost_central.inventory.index import index_rows
from roost_central.inventory.pacing import ResyncPacing
from roost_central.inventory.starred import STARRED
from roost_protocol.digest import node_digest, section_digest
from roost_protocol.inventory import Delta, Section, SectionDelta, SnapshotPart


def digests(tree):
    return {name: section_digest(items, missing) for name, (items, missing) in tree.items()}


def snapshot(tree, gen, *, full=True, whole=None):
    """A snapshot of ``tree``; ``whole`` is the node's tree where this is only a part of it."""
    return SnapshotPart(
        v=1,
        gen=gen,
        boot_id=b"b" * 16,
        taken_ms=gen * 10,
        part=1,
        parts=1,
        full=full,
        digest=node_digest(digests(whole or tree)),
        sections={
            name: Section(
                digest=section_digest(items, missing), as_of_ms=1, items=items, missing=missing
            )
            for name, (items, missing) in tree.items()
        },
    )


def _differing(was, now):
    return {
        key: value
        for key, value in now.items()
        if key not in was or (type(was[key]), was[key]) != (type(value), value)
    }


def delta(old, new, base_gen, gen):
    """What an agent would say of the way from ``old`` to ``new``: written anew, as an oracle."""
    before, after = digests(old), digests(new)
    sections = {}
    for name in old.keys() | new.keys():
        if before.get(name) == after.get(name):
            continue
        was, was_missing = old.get(name, ({}, {}))
        now, now_missing = new.get(name, ({}, {}))
        sections[name] = SectionDelta(
            base=before.get(name),
            digest=after.get(name),
            as_of_ms=gen,
            put={
                item: _differing(was.get(item, {}), fields)
                for item, fields in now.items()
                if item not in was or _differing(was[item], fields)
            },
            unset={
                item: sorted(was[item].keys() - fields.keys())
                for item, fields in now.items()
                if item in was and was[item].keys() - fields.keys()
            },
            gone=sorted(was.keys() - now.keys()),
            missing={k: v for k, v in now_missing.items() if was_missing.get(k) != v},
            found=sorted(was_missing.keys() - now_missing.keys()),
        )
    return Delta(v=1, base_gen=base_gen, gen=gen, digest=node_digest(after), sections=sections)


class Centre:
    """What storage would hold, kept by what the core says."""

    def __init__(self):
        self.gen = None
        self.sections = {}
        self.changes = []
        self.values = {}

    def known(self):
        return Known(self.gen, {n: s.digest for n, s in self.sections.items()}, dict(self.sections))

    def take(self, document):
        if isinstance(document, Delta):
            result = apply_delta(self.known(), document)
        else:
            result = apply_snapshot(self.known(), [document])
        if isinstance(result, Applied):
            self.gen = result.gen
            for name in result.removed:
                del self.sections[name]
                self.values = {k: v for k, v in self.values.items() if k[0] != name}
            for section in result.put:
                self.sections[section.name] = section
            self.changes.append(result.changes)
            for value in result.values_gone:
                self.values.pop((value.section, value.item, value.field), None)
            for value in result.values:
                self.values[value.section, value.item, value.field] = value
        return result

    def tree(self):
        return {name: (s.items, s.missing) for name, s in sorted(self.sections.items())}


NIC = {"nic": ({"a": {"driver": "ice", "mtu": 1500}}, {"a.fec": "denied"})}


def test_a_first_snapshot_is_kept_and_its_sections_are_one_change_each():
    centre = Centre()
    assert isinstance(centre.take(snapshot(NIC, 1)), Applied)
    assert centre.tree() == NIC
    assert centre.changes == [[FieldChange("nic", "", "", UNSET, True)]]
    known = [value for value in centre.values.values() if value.text is not None]
    assert known == [StarredValue("nic", "a", "driver", text="ice")]
    assert {field for _, _, field in centre.values} == set(STARRED["nic"])


def test_a_delta_changes_only_what_it_names():
    centre = Centre()
    centre.take(snapshot(NIC, 1))
    new = {"nic": ({"a": {"driver": "mlx5", "mtu": 1500}, "b": {"mtu": 9000}}, {})}
    assert isinstance(centre.take(delta(NIC, new, 1, 2)), Applied)
    assert centre.tree() == new
    assert centre.changes[1] == [
        FieldChange("nic", "a", "driver", "ice", "mlx5"),
        FieldChange("nic", "a.fec", "?", "denied", UNSET),
        FieldChange("nic", "b", "mtu", UNSET, 9000),
    ]


def test_a_delta_on_another_generation_is_unfit():
    centre = Centre()
    centre.take(snapshot(NIC, 1))
    assert isinstance(centre.take(delta(NIC, {}, 7, 8)), Unfit)
    assert centre.tree() == NIC


def test_a_delta_on_another_section_is_unfit():
    centre = Centre()
    centre.take(snapshot(NIC, 1))
    other = {"nic": ({"a": {"driver": "other"}}, {})}
    assert isinstance(centre.take(delta(other, NIC, 1, 2)), Unfit)


def test_a_delta_before_any_snapshot_is_unfit():
    assert isinstance(Centre().take(delta({}, NIC, 0, 1)), Unfit)


def test_a_section_whose_digest_is_another_is_unfit_and_nothing_is_kept():
    centre = Centre()
    said = snapshot(NIC, 1)
    said.sections["nic"].items["a"]["mtu"] = 1501
    assert isinstance(centre.take(said), Unfit)
    assert centre.tree() == {}


def test_a_whole_whose_digest_is_another_is_unfit():
    said = snapshot(NIC, 1, whole={"other": ({}, {})})
    assert isinstance(Centre().take(said), Unfit)


def test_a_full_snapshot_removes_what_it_does_not_name():
    centre = Centre()
    centre.take(snapshot({**NIC, "gpu": ({"g": {"model": "x"}}, {})}, 1))
    centre.take(snapshot(NIC, 2))
    assert centre.tree() == NIC
    assert ("gpu", "g", "model") not in centre.values


def test_a_snapshot_of_named_sections_leaves_the_others():
    centre = Centre()
    centre.take(snapshot(NIC, 1))
    cpu = {"cpu": ({"0": {"cores": 4}}, {})}
    assert isinstance(centre.take(snapshot(cpu, 2, full=False, whole={**NIC, **cpu})), Applied)
    assert centre.tree() == {**cpu, **NIC}


def test_parts_of_one_section_are_joined():
    items = {str(i): {"v": i} for i in range(10)}
    tree = {"package": (items, {})}
    whole = section_digest(items, {})
    parts = [
        SnapshotPart(
            v=1,
            gen=1,
            boot_id=b"b" * 16,
            taken_ms=1,
            part=number,
            parts=2,
            full=True,
            digest=node_digest(digests(tree)),
            sections={"package": Section(digest=whole, as_of_ms=1, items=chosen)},
        )
        for number, chosen in (
            (2, {k: items[k] for k in list(items)[5:]}),
            (1, {k: items[k] for k in list(items)[:5]}),
        )
    ]
    result = apply_snapshot(Known(None, {}, {}), parts)
    assert result.put[0].items == items


def test_true_and_one_are_not_the_same_value():
    centre = Centre()
    old = {"nic": ({"a": {"up": 1}}, {})}
    new = {"nic": ({"a": {"up": True}}, {})}
    centre.take(snapshot(old, 1))
    centre.take(snapshot(new, 2))
    (change,) = centre.changes[1]
    assert (type(change.old), type(change.new)) == (int, bool)


def test_a_node_is_asked_again_once_a_minute():
    pacing = ResyncPacing()
    assert [pacing.may_ask("a.n1", at_ms) for at_ms in (0, 59_999, 60_000)] == [True, False, True]
    assert pacing.may_ask("b.n1", 1)


names = st.sampled_from(["a", "b", "a.b"])
values = st.one_of(
    st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["x", "y"]), st.just([1, "x"])
)
sections = st.tuples(
    st.dictionaries(names, st.dictionaries(st.sampled_from(["driver", "mtu"]), values, max_size=2)),
    st.dictionaries(
        st.sampled_from(["a.driver", "a.b.mtu", "*"]), st.sampled_from(["denied", "busy"])
    ),
)
trees = st.dictionaries(st.sampled_from(["nic", "cpu", "pci"]), sections, max_size=3)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(trees, st.booleans()), min_size=1, max_size=6))
def test_deltas_and_snapshots_end_in_what_the_node_has_and_rewind_to_each_past(steps):
    centre = Centre()
    past = []
    tree = {}
    for gen, (new, as_delta) in enumerate(steps, start=1):
        document = delta(tree, new, gen - 1, gen) if as_delta and gen > 1 else snapshot(new, gen)
        assert isinstance(centre.take(copy.deepcopy(document)), Applied)
        tree = new
        assert digests(centre.tree()) == digests(new)
        past.append(copy.deepcopy(centre.tree()))
    for back, expected in zip(range(len(past)), reversed(past), strict=True):
        newest_first = [
            change
            for changes in reversed(centre.changes[len(past) - back :])
            for change in reversed(changes)
        ]
        assert digests(rewind(centre.tree(), newest_first)) == digests(expected)
        assert sorted(rewind(centre.tree(), newest_first)) == sorted(expected)
    from_scratch = [row for section in centre.sections.values() for row in index_rows(section)]
    assert sorted(centre.values.values(), key=repr) == sorted(from_scratch, key=repr)


@settings(max_examples=100, deadline=None)
@given(st.lists(trees, min_size=2, max_size=6), st.data())
def test_lost_doubled_and_reordered_deltas_never_leave_a_wrong_state(steps, data):
    documents = [snapshot(steps[0], 1)] + [
        delta(old, new, gen, gen + 1)
        for gen, (old, new) in enumerate(itertools.pairwise(steps), start=1)
    ]
    order = data.draw(st.lists(st.sampled_from(range(len(documents))), max_size=12))
    centre = Centre()
    for index in order:
        result = centre.take(copy.deepcopy(documents[index]))
        if isinstance(result, Applied):
            assert digests(centre.tree()) == digests(steps[index])
    centre.take(snapshot(steps[-1], 99))
    assert digests(centre.tree()) == digests(steps[-1])
