"""What bars a node from a lease, and the maintenance that ends by itself."""

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha.candidacy import PAUSE_MS_MAX, Candidacy
from roost_agent.ha.config import SITE_LEASE


@pytest.fixture
def candidacy(tmp_path):
    core = Cores(tmp_path).start().boxes[0].core
    return Candidacy(
        core.config,
        core.members,
        core.leases,
        slots=core.slots,
        requirements=core.requirements,
    )


def test_services_must_have_been_looked_at_and_able(candidacy):
    assert candidacy.bar(SITE_LEASE) == ""
    assert candidacy.bar("main") == "its services were not looked at yet"
    candidacy.told(ev.Eligible("main", ok=False, why="lag"))
    assert candidacy.bar("main") == "lag"
    candidacy.told(ev.Eligible("main", ok=False))
    assert candidacy.bar("main") == "its services could not run here"
    candidacy.told(ev.Eligible("main", ok=True))
    assert candidacy.bar("main") == ""


def test_a_maintenance_bars_is_bounded_and_ends(candidacy):
    candidacy.told(ev.Eligible("main", ok=True))
    assert candidacy.pause("main", 10 * PAUSE_MS_MAX, 0) == "maintenance of main for 86400 s"
    assert candidacy.bar("main") == "maintenance"
    assert candidacy.ended(PAUSE_MS_MAX - 1) == []
    assert candidacy.ended(PAUSE_MS_MAX) == ["main"]
    assert candidacy.pause("main", None, PAUSE_MS_MAX) == "maintenance of main ended"
    assert candidacy.bar("main") == ""
