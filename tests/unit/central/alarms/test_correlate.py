"""What a storm's sites share: the scenarios that must be found, and those that must not."""

import random

import pytest

from roost_central.alarms.correlate import (
    Explanation,
    Population,
    explain,
    mask_of,
    sites_of,
    text_of,
)

SITES = 2_000
OWN = frozenset({"broker", "worker", "release"})


def fleet(seed, sites=SITES):
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kinds = {
        "region": [f"r{n:02}" for n in range(24)],
        "carrier": ["carA", "carB", "carC", "carD"],
        "pe": [f"pe{n}" for n in range(40)],
        "feed": ["A", "B"],
        "broker": [f"mq{n}" for n in range(4)],
        "worker": [f"w{n}" for n in range(4)],
        "release": ["4.2.0", "4.2.1", "4.3.0"],
    }
    return {name: [dice.choice(values) for _ in range(sites)] for name, values in kinds.items()}


def storm(seed, test, *, share=1.0, noise=20):
    columns = fleet(seed)
    dice = random.Random(seed + 1)  # noqa: S311 - as above
    hit = {
        site
        for site in range(SITES)
        if test({name: column[site] for name, column in columns.items()}) and dice.random() < share
    }
    hit |= set(dice.sample(range(SITES), noise))
    return explain(Population(columns, frozenset(hit), OWN)), hit


SCENARIOS = {
    "a carrier in twelve regions": (
        lambda site: site["carrier"] == "carB" and site["region"] < "r12",
        ["carrier=carB AND region IN r00..r11"],
    ),
    "a broker of ours": (lambda site: site["broker"] == "mq2", ["broker=mq2"]),
    "two routers": (lambda site: site["pe"] in {"pe7", "pe9"}, ["pe IN pe7,pe9"]),
    "a feed in three regions": (
        lambda site: site["feed"] == "A" and site["region"] in {"r03", "r07", "r11"},
        ["feed=A AND region IN r03,r07,r11", "region IN r03,r07,r11 AND feed=A"],
    ),
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_cause_is_found_and_said_in_one_sentence(name, seed):
    test, texts = SCENARIOS[name]
    found, hit = storm(seed, test)
    (cause,) = found.causes
    assert cause.text in texts
    assert cause.precision == 1
    assert cause.covers + len(found.unexplained) == len(hit)
    assert len(found.unexplained) <= 20


def test_a_release_that_fails_nearly_everywhere_is_found():
    found, _ = storm(1, lambda site: site["release"] == "4.3.0", share=0.95)
    assert found.causes[0].text == "release=4.3.0"
    assert 0.9 < found.causes[0].precision < 1


def test_two_causes_at_once_are_two_sentences():
    found, _ = storm(
        2,
        lambda site: (
            site["broker"] == "mq1" or (site["carrier"] == "carC" and site["region"] < "r06")
        ),
    )
    assert [cause.text for cause in found.causes] == [
        "broker=mq1",
        "carrier=carC AND region IN r00..r05",
    ]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_where_nothing_is_shared(seed):
    found, hit = storm(seed, lambda _site: False, noise=400)
    assert found.causes == []
    assert found.unexplained == hit
    assert len(found.rejected) == 3


def test_what_was_rejected_names_our_own_parts_first_with_their_precision():
    found, _ = storm(3, lambda site: site["carrier"] == "carB")
    names = [next(iter(cause.terms)) for cause in found.rejected]
    assert set(names) == OWN
    assert all(cause.precision < 0.5 for cause in found.rejected)


def test_all_of_them_are_all_of_them():
    found, _ = storm(4, lambda _site: True)
    assert [cause.text for cause in found.causes] == ["all sites"]


def test_our_own_part_wins_a_tie():
    columns = {"carrier": ["a"] * 60 + ["b"] * 60, "broker": ["m1"] * 60 + ["m2"] * 60}
    found = explain(Population(columns, frozenset(range(60)), OWN))
    assert found.causes[0].text == "broker=m1"


def test_an_attribute_with_a_value_for_each_site_explains_nothing():
    columns = {"serial": [str(n) for n in range(1_000)]}
    found = explain(Population(columns, frozenset(range(100)), OWN))
    assert found.causes == []
    assert found.rejected == []


def test_a_site_without_the_attribute_is_in_no_value_of_it():
    columns = {"carrier": [None] * 50 + ["b"] * 50, "region": ["r"] * 100}
    found = explain(Population(columns, frozenset(range(50, 100))))
    assert found.causes[0].text == "carrier=b"


def test_too_few_and_none_are_not_explained():
    few = explain(Population({"region": ["r"] * 100}, frozenset(range(9))))
    assert few == Explanation(unexplained=frozenset(range(9))), "nothing is rejected unlooked at"
    assert explain(Population({}, frozenset())).causes == []


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({}, "all sites"),
        ({"a": ["x"]}, "a=x"),
        ({"a": ["r00", "r01", "r02"]}, "a IN r00..r02"),
        ({"a": ["r00", "r01"]}, "a IN r00,r01"),
        ({"a": ["r00", "r02", "r03"]}, "a IN r00,r02,r03"),
        ({"a": ["x", "y", "z"], "b": ["1"]}, "a IN x,y,z AND b=1"),
        ({"a": ["r8", "r9", "r10"]}, "a IN r8,r9,r10"),
    ],
)
def test_a_set_is_said_shortly(terms, text):
    assert text_of(terms) == text


def test_a_set_of_sites_is_a_number_and_back():
    assert sites_of(mask_of([0, 9, 63], 64)) == {0, 9, 63}
    assert sites_of(0) == frozenset()
