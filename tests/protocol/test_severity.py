"""Severities, as numbers on the wire and as words for people."""

import pytest

from roost_protocol.severity import Severity


def test_severities_are_read_and_written():
    assert Severity.of("major") is Severity.MAJOR
    assert Severity.of("indeterminate") is Severity.WARNING
    assert Severity.CRITICAL.word == "critical"
    with pytest.raises(KeyError):
        Severity.of("horrible")
