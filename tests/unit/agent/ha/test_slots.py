"""Who stands for which slot: the table's rules under Hypothesis, and whose table counts."""

from itertools import permutations

from hypothesis import example, given
from hypothesis import strategies as st

from roost_agent.ha.config import Group, Slot
from roost_agent.ha.slots import GIVEN_MS, Slots, Want, slot_table

SLOTS = ("w-1", "w-2", "w-3")
HOSTS = (3, 0, 4, 1)


@st.composite
def wants(draw):
    """Any group: some slots held by hosts, each by another; any hosts able for any slot."""
    slots = SLOTS[: draw(st.integers(1, 3))]
    hosts = draw(st.permutations(HOSTS))[: draw(st.integers(1, 4))]
    holders = draw(st.permutations(hosts))
    held = {slot: host for slot, host in zip(slots, holders, strict=False) if draw(st.booleans())}
    able = {slot: draw(st.frozensets(st.sampled_from(HOSTS))) for slot in slots}
    shunned = {slot: draw(st.sampled_from(HOSTS)) for slot in slots if draw(st.booleans())}
    return Want(slots=slots, hosts=tuple(hosts), held=held, able=able, shunned=shunned)


def most(want):
    """How many free slots could be given, tried in every way."""
    open_slots = [slot for slot in want.slots if slot not in want.held]
    free = [host for host in want.hosts if host not in want.held.values()]
    free += [None] * len(open_slots)
    return max(
        sum(host in want.able[slot] for slot, host in zip(open_slots, hosts, strict=True))
        for hosts in permutations(free, len(open_slots))
    )


@given(wants())
def test_whoever_has_a_slot_keeps_it_and_nobody_gets_two(want):
    table = slot_table(want)
    assert want.held.items() <= table.items()
    assert len(set(table.values())) == len(table)


@given(wants())
def test_a_slot_goes_only_to_a_host_that_could_take_it(want):
    given_away = {slot: host for slot, host in slot_table(want).items() if slot not in want.held}
    assert all(host in want.hosts and host in want.able[slot] for slot, host in given_away.items())


PICKY = Want(  # the first slot has to leave its first choice to the second
    slots=SLOTS[:2],
    hosts=(3, 0),
    held={},
    able={"w-1": frozenset({3, 0}), "w-2": frozenset({3})},
    shunned={},
)


@given(wants())
@example(PICKY)
def test_as_many_slots_are_given_as_can_be(want):
    assert len(slot_table(want)) - len(want.held) == most(want)


@given(wants(), st.randoms())
def test_the_same_members_make_the_same_table_whoever_makes_it(want, dice):
    def shuffled(table):
        items = list(table.items())
        dice.shuffle(items)
        return dict(items)

    other = Want(
        slots=want.slots, hosts=want.hosts, held=shuffled(want.held), able=shuffled(want.able),
        shunned=shuffled(want.shunned),
    )  # fmt: skip
    assert slot_table(other) == slot_table(want)


@given(wants())
def test_once_all_have_taken_what_is_theirs_nothing_changes_any_more(want):
    table = slot_table(want)
    after = Want(
        slots=want.slots, hosts=want.hosts, held=table, able=want.able, shunned=want.shunned
    )
    assert slot_table(after) == table


def want(**more):
    everybody = dict.fromkeys(SLOTS, frozenset(HOSTS))
    return Want(
        **{"slots": SLOTS, "hosts": HOSTS, "held": {}, "able": everybody, "shunned": {}} | more
    )


def test_slots_go_to_the_hosts_in_their_order_and_the_rest_stand_by():
    assert slot_table(want()) == {"w-1": 3, "w-2": 0, "w-3": 4}


def test_a_slot_that_its_holder_gave_away_goes_to_another_while_there_is_one():
    held = {"w-2": 0, "w-3": 4}
    assert slot_table(want(held=held, shunned={"w-1": 3}))["w-1"] == 1
    able = dict.fromkeys(SLOTS, frozenset({0, 3, 4}))
    assert slot_table(want(held=held, shunned={"w-1": 3}, able=able))["w-1"] == 3


def made(me=3):
    said = {"model": "N+M", "hosts": ("a",)}
    groups = [Slot(name=slot, family="w", **said) for slot in SLOTS]
    return Slots(me, [Group(name="main", model="2N", hosts=("a", "b")), *groups])


def test_a_node_stands_for_its_own_slot_and_for_all_that_is_none():
    slots = made()
    assert slots.families == {"w": list(SLOTS)}
    assert slots.is_mine("main", 0)
    assert slots.is_mine("site", 0)
    assert not slots.is_mine("w-1", 0)
    slots.heard(7, {"w-1": 3, "w-2": 0, "main": 0})
    assert slots.table == {"w-1": 3, "w-2": 0}
    assert [slots.is_mine(slot, 0) for slot in SLOTS] == [True, False, False]
    assert slots.mates("w-2") == ["w-1", "w-3"]
    assert slots.mates("main") == []


def test_the_table_of_the_later_holder_counts():
    slots = made()
    slots.heard(7, {"w-1": 3})
    slots.heard(6, {"w-1": 0})
    assert slots.table == {"w-1": 3}
    slots.heard(7, {"w-1": 1})
    slots.heard(8, {})
    assert slots.table == {}


def test_a_change_is_noticed_by_its_maker():
    slots = made()
    assert slots.make(7, lambda family: want() if family == "w" else None)
    assert not slots.make(7, lambda _: want())
    assert slots.make(7, lambda _: want(held={"w-1": 1}))


def test_whom_a_holder_names_needs_no_table_for_a_while():
    slots = made()
    slots.given("w-2", 1_000)
    slots.given("main", 1_000)
    assert slots.is_mine("w-2", 1_000 + GIVEN_MS - 1)
    assert not slots.is_mine("w-2", 1_000 + GIVEN_MS)
