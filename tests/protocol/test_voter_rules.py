"""When a voter gives its word, and why not."""

import pytest
from voter_disk import BOOT, GRANTED, Disk, told

from roost_protocol.ha import Kind


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("stale", {"age_ms": 1_001}),
        ("stale", {"age_ms": None}),
        ("cfgver", {"cfgver": 8}),
        ("owner", {"owner": 2}),
        ("owner", {"owner_boot": BOOT[2]}),
        ("owner", {"epoch": 34}),
        ("blank", {"name": "other"}),
    ],
)
def test_what_does_not_hold_is_refused_with_its_reason(reason, changes):
    assert told(Disk().ask(**changes)) == (Kind.REFUSE, reason)


def test_a_request_as_old_as_may_be_is_granted():
    assert told(Disk().ask(age_ms=1_000)) == GRANTED


def test_while_bound_to_one_nobody_else_is_granted_and_the_time_left_is_told():
    disk = Disk()
    disk.ask(0)
    refusal = disk.ask(7_000, node=2, epoch=66)
    assert (*told(refusal), refusal.owner, refusal.remaining_ms) == (
        Kind.REFUSE, "promised", 1, 122,
    )  # fmt: skip
    assert told(disk.ask(7_122, node=2, epoch=66)) == GRANTED


def test_a_slower_watchdog_than_the_epoch_was_granted_for_is_refused():
    disk = Disk()
    disk.ask(0)
    assert told(disk.ask(1, kind=Kind.RENEW, counter=2, watchdog_ms=1)) == (Kind.REFUSE, "watchdog")


def test_an_epoch_that_was_granted_is_not_granted_to_another_boot_or_below():
    disk = Disk()
    disk.ask(0)
    assert told(disk.ask(1, counter=2, boot=BOOT[3])) == (Kind.REFUSE, "epoch")
    assert told(disk.ask(1, counter=2, epoch=1)) == (Kind.REFUSE, "epoch")
    assert told(disk.ask(1, counter=2, epoch=65)) == GRANTED


def test_a_round_before_the_last_granted_one_is_stale():
    disk = Disk()
    disk.ask(0, counter=5)
    assert told(disk.ask(1, kind=Kind.RENEW, counter=4)) == (Kind.REFUSE, "stale")


def test_while_an_epoch_is_on_its_way_to_the_disk_the_lease_is_busy():
    disk = Disk()
    disk.works = False
    disk.ask(0)
    assert told(disk.ask(1, node=2, epoch=66)) == (Kind.REFUSE, "busy")
