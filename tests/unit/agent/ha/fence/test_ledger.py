import msgspec
import pytest

from roost_agent.ha.fence.budget import HOURLY_MAX
from roost_agent.ha.fence.ledger import Ledger, ledger, read

WALL_MS = 1_800_000_000_000


def test_attempts_outlive_a_boot():
    kept = ledger((900, 1_000), ("c0",), wall_ms=WALL_MS, boot_ms=1_000)
    again = read(msgspec.json.encode(kept), WALL_MS)
    assert again == kept
    assert again.on_boot_clock(WALL_MS + 60_000, 5) == (5 - 60_100, 5 - 60_000)


def test_a_clock_that_was_set_back_forgets_nothing():
    assert Ledger((WALL_MS,)).on_boot_clock(WALL_MS - 86_400_000, 7) == (7,)


def test_no_file_is_a_new_budget():
    assert read(None, WALL_MS) == Ledger()


@pytest.mark.parametrize("raw", [b"", b"7", b'{"spent_ms": "x"}', b"\xff"])
def test_a_file_that_makes_no_sense_is_a_spent_budget(raw):
    assert read(raw, WALL_MS) == Ledger((WALL_MS,) * HOURLY_MAX)
