"""A share of ``noc.slow_consumers``: consumers that take nothing slow no receipt, lose nothing."""

import shutil

import prove_noc
import pytest
from broker import PROGRAM
from snmp_receiver import TRAPD

ROUNDS = 3
PHASE_S = 2.0
# A phase of so few receipts on a busy machine is no measure of a fifth. Where ingest waits for a
# consumer its receipts wait for seconds: dozens of times as long as with healthy ones.
RATIO_MAX = 5.0

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")
@pytest.mark.skipif(TRAPD is None, reason="snmptrapd is not installed")
@pytest.mark.skipif(shutil.which("mosquitto_sub") is None, reason="mosquitto_sub is missing")
def test_consumers_that_are_slow_or_dead_do_not_slow_ingest():
    outcome = prove_noc.measured(print, ROUNDS, PHASE_S)
    assert outcome.faults(RATIO_MAX) == []
