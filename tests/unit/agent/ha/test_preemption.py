"""A group goes back to its first host once that one is well for long, and never restlessly."""

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha.health import LHM_UNFIT
from roost_agent.ha.membership import REPLACED_MS
from roost_agent.ha.moves import MOVES_MAX, MOVES_MS
from roost_protocol.explain import Explain

BACK = "its first host is well for 40 s"
PREEMPT = {"replaced": ('name = "main"\n', 'name = "main"\npreempt = 40\n')}


@pytest.fixture
def site(tmp_path):
    """A site where c1 runs `main`, whose first host c0 has come back."""
    site = Cores(tmp_path, **PREEMPT)
    site.settled()
    if site.holders() == [0]:
        site.tell(0, ev.Give("main", "ordered", 1))
    site.until(lambda: site.holders() == [1])
    site.run(REPLACED_MS)  # whoever lost it joins again first
    return site


def moves_back(box):
    return [each for each in box.of(ev.Stop, lease="main") if each.why == BACK]


def test_it_goes_back_when_its_first_host_was_well_for_so_long_and_not_sooner(site):
    site.run(38_000)
    assert site.holders() == [1]
    site.until(lambda: site.holders() == [0], ms=20_000)
    site.run(50_000)
    assert site.holders() == [0], "it comes first: nothing moves it"
    assert len(moves_back(site.boxes[1])) == 1


@pytest.mark.untraced
def test_without_the_setting_it_stays(tmp_path):
    site = Cores(tmp_path)
    site.settled()
    site.tell(0, ev.Give("main", "ordered", 1))
    site.until(lambda: site.holders() == [1])
    site.run(60_000)
    assert site.holders() == [1]


@pytest.mark.untraced
@pytest.mark.parametrize("what", ["cannot run it", "is unwell", "scores less"])
def test_a_host_that_is_no_better_gets_nothing_and_waits_anew(site, what):
    site.run(35_000)
    bad, good = {
        "cannot run it": (ev.Eligible("main", ok=False, why="lag"), ev.Eligible("main", ok=True)),
        "is unwell": (ev.Lagged(10_000), None),
        "scores less": (ev.Score(700), ev.Score(1_000)),
    }[what]
    for _ in range(LHM_UNFIT if good is None else 1):
        site.tell(0, bad)
    site.run(8_000)
    assert site.holders() == [1]
    if good is not None:
        site.run(45_000)
        assert site.holders() == [1]
        site.tell(0, good)
    site.run(25_000)
    assert site.holders() == [1], "it has to be well for as long again"
    site.until(lambda: site.holders() == [0], ms=90_000)


@pytest.mark.untraced
def test_it_waits_while_anything_is_amiss(site):
    site.cut = {(None, None, 1)}  # one network is gone for all
    site.run(60_000)
    assert site.holders() == [1]
    site.cut = set()
    site.until(lambda: site.holders() == [0], ms=200_000)


def test_it_is_one_of_the_moves_that_are_counted(site):
    core, box = site.boxes[1].core, site.boxes[1]
    for epoch in range(MOVES_MAX):
        core.moves.moved("main", 1_000 + epoch, site.clock(box) - MOVES_MS + 60_000)
    site.run(55_000)
    assert site.holders() == [1]
    site.until(lambda: site.holders() == [0], ms=20_000)
    assert not [each for each in box.of(Explain) if "stays" in each.sentence]
