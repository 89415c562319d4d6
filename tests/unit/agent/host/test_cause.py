"""Why another host stands as it does, by what was seen of it."""

import pytest

from roost_agent.host import cause
from roost_agent.host import transitions as tr
from roost_agent.host.sight import Sight
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX


@pytest.mark.parametrize(
    ("told", "more", "said"),
    [
        (tr.LOCKED_ONLINE, {}, "it says that it is locked"),
        (tr.AVAILABLE, {}, "it says that it is well"),
        (
            tr.DEGRADED,
            {"reasons": frozenset({"process", "clock"})},
            "it says that it is degraded: clock, process",
        ),
        (tr.INTEST, {"stage": "health"}, "it says that it is being enabled: health"),
        (tr.FAILED, {"stage": "health"}, "it says that it failed: health"),
        (
            tr.FAILED,
            {"stage": "processes", "reasons": frozenset({"sensor"})},
            "it says that it failed: processes (sensor)",
        ),
        (tr.FAILED, {}, "it says that it failed: a stage that is not known here"),
        (tr.INTEST, {}, "it says that it is being enabled: a stage that is not known here"),
        (None, {}, "it does not say how it stands"),
    ],
)
def test_the_word_of_a_host_is_a_sentence(told, more, said):
    assert cause.own_word(Sight("n2", True, told, **more)) == said


def test_a_loss_names_every_path_and_has_its_bound():
    assert cause.lost(10, ()) == "its heartbeat is lost for 10 ticks"
    assert cause.lost(10, ("a/udp",)) == "its heartbeat is lost for 10 ticks on its path: a/udp"
    ways = tuple(f"{n}{'w' * 60}/c{n}" for n in range(16))
    assert len(cause.lost(10, ways).encode()) <= ALARM_TEXT_BYTES_MAX
