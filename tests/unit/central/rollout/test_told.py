"""What a rollout that stopped by itself comes to among the alarms."""

from rollout_fleet import running

from roost_central.rollout.table import JobState, Pause, RolloutState
from roost_central.rollout.told import HALTED, event_of, sign
from roost_protocol.severity import Severity


class Book:
    """Takes the centre's own alarms down."""

    def __init__(self):
        self.stands = {}

    def raise_own(self, type_, entity, severity, params):
        self.stands[type_, entity] = (severity, params["reason"])

    def clear_own(self, type_, entity, _why):
        self.stands.pop((type_, entity), None)


def test_withheld_offer_raises_alarm():
    """Somebody drops what sites are offered, or what they answer: they are heard all the while."""
    fleet = running(s0000="mute", s0001="mute", s0002="mute")
    fleet.until_state(RolloutState.PAUSED, seconds=600)
    head, book = fleet.rollout.head, Book()
    assert head.pause is Pause.UNREACHABLE
    assert {fleet.states()[site] for site in ("s0000", "s0001", "s0002")} == {JobState.UNREACHABLE}
    sign(book, head)
    [((type_, entity), (severity, reason))] = book.stands.items()
    assert (type_, severity) == (HALTED, Severity.MAJOR)
    assert entity == f"central=roost,rollout={head.id}"
    assert "3 of 3 sites of wave 1 are silent" in reason
    assert event_of(head, "it rests", fleet.now_ms).severity is Severity.WARNING


def test_a_pause_of_a_person_is_no_alarm():
    fleet, book = running(), Book()
    fleet.turn()
    fleet.rollout.pause("lunch", fleet.now_ms)
    sign(book, fleet.rollout.head)
    assert book.stands == {}
