import pytest

from roost_central.liveness.facts import (
    AgentRestarted,
    BeatIgnored,
    CloneChanged,
    PathChanged,
    PresenceChanged,
    QuietChanged,
    Rebooted,
    SiteChanged,
)
from roost_central.liveness.words import broker_event, event_of

NODE = "lab.n1"


@pytest.mark.parametrize(
    ("action", "type_", "severity", "text"),
    [
        (
            PresenceChanged(NODE, "online", "unreachable", 75_400),
            "280.802",
            2,
            "nothing heard for 75 s on any path",
        ),
        (PresenceChanged(NODE, "unreachable", "online"), "280.802", 0, "heard again, online"),
        (PathChanged(NODE, "wan1", "up", "down"), "280.801", 2, "path wan1 is down, was up"),
        (PathChanged(NODE, "wan1", "down", "up"), "280.801", 0, "path wan1 is up, was down"),
        (
            SiteChanged("lab", "ok", "unknown"),
            "280.001",
            4,
            "nothing is heard from any node of the site",
        ),
        (SiteChanged("lab", "unknown", "ok"), "280.001", 0, "the site is heard again, ok"),
        (Rebooted(NODE), "280.811", 1, "the machine has rebooted"),
        (AgentRestarted(NODE), "280.812", 1, "the agent has restarted"),
        (
            CloneChanged(NODE, is_suspected=True),
            "280.805",
            4,
            "two boxes use one identity, by turns",
        ),
        (CloneChanged(NODE, is_suspected=False), "280.805", 0, "one box speaks again"),
        (
            QuietChanged(True, "silence", 30, 900),
            "280.808",
            4,
            "30 of 900 sites silent at once; suspecting ourselves",
        ),
        (
            QuietChanged(False, "silence"),
            "280.808",
            0,
            "our own parts were well meanwhile; sites that still are silent are announced now",
        ),
    ],
)
def test_a_decision_is_told_in_a_sentence(action, type_, severity, text):
    event = event_of(action, site="lab", now_ms=5)
    assert (event.type, event.severity, event.text) == (type_, severity, text)
    assert (event.at_ms, event.received_ms, event.kind) == (5, 5, "liveness")


@pytest.mark.parametrize(
    "action",
    [
        PresenceChanged(NODE, "online", "unreachable", announce=False),
        PresenceChanged(NODE, "online", "degraded"),
        PathChanged(NODE, "wan1", "up", "unknown", announce=False),
        SiteChanged("lab", "ok", "unknown", announce=False),
        SiteChanged("lab", "ok", "degraded"),
        QuietChanged(True, "broker"),
        QuietChanged(False, "start"),
        BeatIgnored(NODE, "late"),
    ],
)
def test_what_is_no_news_of_its_own_is_not_told(action):
    assert event_of(action, site="lab", now_ms=5) is None


def test_the_entity_names_what_it_is_about():
    event = event_of(PathChanged(NODE, "wan1", "up", "down"), site="lab", now_ms=5)
    assert (event.site, event.node, event.entity) == ("lab", NODE, "site=lab,node=n1,path=wan1")


def test_a_broker_is_told_lost_and_back():
    lost = broker_event("b1", is_up=False, now_ms=5)
    back = broker_event("b1", is_up=True, now_ms=6)
    assert (lost.severity, lost.text) == (3, "broker b1 is lost")
    assert (back.severity, back.text) == (0, "broker b1 is connected again")
