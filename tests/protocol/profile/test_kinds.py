"""Kinds of values: what holds, what does not, and the bound in words."""

import pytest

from roost_protocol.profile.kinds import (
    Address,
    Flag,
    Listed,
    Rising,
    Whole,
    cpu_lists,
    host_names,
    of,
    shown,
)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Whole(1, 5), [1, 5], [0, 6, True, 1.0, "1", None]),
        (Flag(), [True, False], [0, 1, "true"]),
        (of("a", "b"), ["a"], ["c", 1, ["a"]]),
        (Address(), ["192.0.2.1", "2001:db8::1"], ["192.0.2", "a", 5, "fe80::1%eth0"]),
        (Listed(Whole(1, 5), 2), [[1], [2, 1]], [[], [1, 1], [1, 2, 3], [6], [[1]], (1,), 1]),
        (Rising(Whole(1, 5), 2), [[1, 1], [1, 5]], [[2, 1], [1], [1, 6], [1, True], 1]),
        (cpu_lists(), ["0", "2-7,10"], ["", "2-", "a", "1,,2", "1\n", "\u0661"]),
        (
            host_names(),
            ["a", "ntp1.example.net", "::1"],
            ["", "-a", "a b", "a;b", "a\n", "x" * 254],
        ),
    ],
)
def test_a_kind_holds_what_it_says_and_nothing_else(kind, good, bad):
    assert [each for each in good if not kind.holds(each)] == []
    assert [each for each in bad if kind.holds(each)] == []
    assert kind.bound


def test_a_bound_is_said_with_its_unit():
    assert Whole(1, 30, "s").bound == "a whole number from 1 to 30 s"
    assert Listed(Whole(0, 1), 3).bound.startswith("a list of 1 to 3 different values")
    assert Listed(Whole(0, 1), 2, 2).bound.startswith("a list of 2 different values")


def test_a_refused_value_is_shown_cut_and_as_it_was_typed():
    assert shown(value=True) == "true"
    assert shown(7) == "7"
    assert shown({"a": 1}) == "a table"
    assert shown("x" * 100).endswith("...")
    assert "\n" not in shown("a\nb")
