"""What the tests of alarms share: a small catalogue, and a core that is driven as storage does."""

import sys
from pathlib import Path

import pytest

from roost_central.alarms.catalogue_file import parse
from roost_central.alarms.core import AlarmCore

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from alarms import CATALOGUE, Driven


@pytest.fixture(scope="session")
def catalogue():
    return parse("test.yaml", CATALOGUE.encode())


@pytest.fixture
def driven(catalogue):
    return Driven(AlarmCore(catalogue))
