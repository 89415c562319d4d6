"""What settings must be together."""

import pytest

from roost_protocol.profile.check import field_at
from roost_protocol.profile.rules import NEEDED_WITH, RISING, together

WINDOW = {"start": "02:00", "minutes": 60}


@pytest.mark.parametrize(
    ("sections", "where", "said"),
    [
        (
            {"kernel": {"sysctl": {"vm.dirty_background_ratio": 20, "vm.dirty_ratio": 10}}},
            'kernel.sysctl."vm.dirty_ratio"',
            "more than",
        ),
        (
            {"thresholds": {"node.cpu.high": {"major": 90, "critical": 90}}},
            'thresholds."node.cpu.high".critical',
            "which is 90",
        ),
        ({"update-window": {"start": "02:00"}}, "update-window.start", "update-window.minutes"),
        ({"update-window": {"days": ["sat"]}}, "update-window.days", "update-window.start"),
    ],
)
def test_settings_that_cannot_be_together_are_refused(sections, where, said):
    (fault,) = together(sections)
    assert fault.where == where
    assert said in fault.sentence


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"kernel": {"sysctl": {"vm.dirty_ratio": 10}}},
        {"thresholds": {"node.cpu.high": {"major": 80, "critical": 90}}},
        {"update-window": {**WINDOW, "days": ["sat"]}},
        {"update-window": WINDOW},
    ],
)
def test_settings_that_can_are_not(sections):
    assert together(sections) == []


def test_every_rule_is_about_settings_that_there_are():
    for paths in (*RISING, *NEEDED_WITH):
        assert all(field_at(path) is not None for path in paths)
