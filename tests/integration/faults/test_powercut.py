"""A few power cuts of many (`make prove`), and proof that the disk they happen on can lose rows."""

import powercut_agent
import powercut_central
import pytest

SEED = 20_261_123
RIGS = pytest.mark.parametrize("rig", [powercut_agent, powercut_central], ids=["agent", "central"])


def test_what_the_outbox_took_survives_power_cuts(tmp_path):
    tally = powercut_agent.cut_power(200, SEED, tmp_path)
    assert tally.faults == []
    assert tally.written_back > 0, "no cut while the log was written back: not reached"


def test_what_was_receipted_survives_power_cuts_and_took_effect_once(tmp_path):
    tally = powercut_central.cut_power(60, SEED, tmp_path)
    assert tally.faults == []
    assert tally.receipts > 100


@RIGS
def test_a_disk_that_lies_about_fsync_is_found_out(rig, tmp_path):
    assert rig.cut_power(20, SEED, tmp_path, honest=False).faults


@RIGS
def test_the_same_seed_cuts_the_same_way(rig, tmp_path):
    one, other = (rig.cut_power(15, SEED, tmp_path / name) for name in ("one", "other"))
    assert one == other
