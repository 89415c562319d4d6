"""A share of ``make prove`` for networks that cut a node off: real namespaces, real kills."""

import prove_rollback
import pytest
from gate import SEED
from ha_netns import needs_netns

pytestmark = [pytest.mark.netns, needs_netns, pytest.mark.timeout(240)]


def test_a_network_that_cuts_the_node_off_is_undone_whoever_is_killed():
    (proof,) = prove_rollback.prove(print, SEED, 0.034)
    assert proof.failures == 0, proof
    assert proof.runs >= 10
