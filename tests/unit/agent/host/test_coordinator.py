"""How often a coordinator looks at the others."""

import pytest

from roost_agent.host.around import Alone
from roost_agent.host.coordinator import Coordinator
from roost_agent.host.moment import Moment


class Site(Alone):
    """n1, whose turn it is not."""

    others = ("n2",)

    def __init__(self, beat_ms):
        self.beat_ms, self.looks = beat_ms, 0

    def sights(self):
        self.looks += 1
        return []

    def turn(self):
        return None


@pytest.mark.parametrize(("beat_ms", "looks"), [(500, 60), (1_000, 60), (10_000, 6)])
def test_a_tick_is_no_shorter_than_a_beat_whatever_the_link(tmp_path, beat_ms, looks):
    site = Site(beat_ms)
    coordinator = Coordinator("lab.n1", site, None, tmp_path)
    coordinator.begin(Moment(0, 0))
    for second in range(60):
        coordinator.look(lambda: None, Moment(1_000_000 + second * 1_000, 0))
    assert site.looks == looks
