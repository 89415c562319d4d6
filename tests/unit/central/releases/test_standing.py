"""What ends soon is told a month before it does, and what should have been renewed at half time."""

import pytest

from roost_central.releases.standing import DAY_MS, Life, findings
from roost_protocol.severity import Severity

NOW = 1_000 * DAY_MS


@pytest.mark.parametrize(
    ("about", "left", "severity"),
    [
        ("targets", 31, None), ("targets", 30, Severity.MINOR), ("targets", 7, Severity.MAJOR),
        ("image-root", 61, None), ("director-root", 60, Severity.MINOR),
        ("image-root", 14, Severity.MAJOR),
        ("timestamp", 4, None), ("timestamp", 3, Severity.MINOR), ("timestamp", 1, Severity.MAJOR),
    ],
)  # fmt: skip
def test_it_is_told_in_time(about, left, severity):
    until = NOW + left * DAY_MS
    found = findings({about: Life(until - 7 * DAY_MS, until)}, NOW)
    assert [each.severity for each in found] == ([] if severity is None else [severity])


def test_what_has_ended_says_what_that_means_and_what_to_do():
    [found] = findings({"targets": Life(0, NOW)}, NOW)
    assert found.reason.startswith("targets has ended: nodes install nothing; `roost release")
