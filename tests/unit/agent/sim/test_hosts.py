"""Hosts of the simulated fleet: a handful that is not well, in words that the centre takes."""

import random

import pytest

from roost_agent.sim.hosts import BOOT_MS, NODES_EACH, Lot, booting, drawn, said
from roost_protocol.codec import Decoder, unpack
from roost_protocol.envelope import ItemKind
from roost_protocol.host import Avail, HostsReport

_reports = Decoder(HostsReport)


def names(count):
    return [f"s{number // 3}.n{number % 3}" for number in range(count)]


def told(rig):
    reports = [
        _reports.decode(unpack(item.body, compressed=item.compressed))
        for item in rig.centre.items
        if item.kind is ItemKind.HOSTS
    ]
    return [report.hosts[0].avail for report in reports]


@pytest.mark.parametrize("count", [0, NODES_EACH - 1, NODES_EACH, 60, 50_000])
def test_few_are_not_well_however_large_the_fleet_is_and_the_same_for_a_seed(count):
    lots = drawn(names(count), random.Random(7))  # noqa: S311 - the same draw again
    assert lots == drawn(names(count), random.Random(7))  # noqa: S311
    assert len(lots) == min(8, count // NODES_EACH)
    if count >= 1_000:
        assert {*lots.values()} == set(Lot) - {Lot.WELL}


@pytest.mark.parametrize("lot", Lot)
def test_what_is_said_is_a_report_that_counts(lot):
    report = said("lab.n1", lot, bytes(16), 90, wall_ms=10**12)
    report.check()
    assert (report.by, report.epoch, report.hosts[0].node) == ("lab.n1", 0, "n1")
    booting("lab.n1", bytes(16), wall_ms=10**12).check()


def test_a_node_says_how_its_host_stands_when_it_starts_and_as_it_boots(rig):
    rig.node.lot = Lot.WELL
    rig.start()
    assert told(rig) == [Avail.AVAILABLE]
    rig.node.power_off(rig.clock.now_ms)
    rig.node.power_on(rig.clock.now_ms)
    rig.answer()
    assert told(rig) == [Avail.AVAILABLE, Avail.INTEST]
    rig.pass_time(BOOT_MS + 1_000)
    assert told(rig) == [Avail.AVAILABLE, Avail.INTEST, Avail.AVAILABLE]


def test_a_locked_host_stays_so_over_a_boot(rig):
    rig.node.lot = Lot.LOCKED
    rig.start()
    rig.node.power_off(rig.clock.now_ms)
    rig.node.power_on(rig.clock.now_ms)
    rig.pass_time(BOOT_MS + 1_000)
    assert told(rig) == [Avail.ONLINE, Avail.ONLINE]


def test_a_node_that_was_not_asked_says_nothing_of_its_host(rig):
    rig.start()
    rig.pass_time(60_000)
    assert told(rig) == []
