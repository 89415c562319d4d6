"""Whether a drill may begin: never on top of a fault, and never what would be an outage."""

import pytest
from ha_cores import Cores

from roost_agent.control.message import HaDrill
from roost_agent.ha.drill_order import DrillRefusedError, planned


@pytest.fixture
def site(tmp_path):
    made = Cores(tmp_path)
    made.settled()
    return made


def plan(site, *cut, stop=False, has_broker=True, at=0):
    request = HaDrill(10, list(cut), stop)
    return planned(site.boxes[at].core, request, has_broker=has_broker)


def refused(site, *cut, **more):
    with pytest.raises(DrillRefusedError) as told:
        plan(site, *cut, **more)
    return str(told.value)


def test_a_path_is_cut_by_its_name_its_number_or_its_network(site):
    assert plan(site, "mgmt/c0").cut == {0}
    assert plan(site, "2").cut == {2}
    assert plan(site, "mgmt").cut == {0, 3}
    assert plan(site, "mgmt").what == "mgmt/c0, mgmt/udp cut"
    both = plan(site, "cluster/udp", stop=True)
    assert (both.cut, both.stops_broker) == ({2}, True)
    assert both.what == "cluster/udp cut and broker of c0 stopped"


def test_what_is_no_path_is_refused_with_those_there_are(site):
    assert "mgmt/c0, cluster/c1, cluster/udp, mgmt/udp" in refused(site, "nowhere")
    assert "say what" in refused(site)
    assert "no site broker" in refused(site, stop=True, has_broker=False)


def test_what_would_leave_no_path_is_refused_with_who_it_would_lose(site):
    assert refused(site, "mgmt", "cluster") == "it would leave no path that carries to c1"
    assert "no path that carries" in refused(site, "cluster", "mgmt/udp", stop=True)


def test_a_drill_on_top_of_a_fault_is_refused(site):
    site.boxes[2].is_up = False
    site.run(10_000)
    assert "w1 is lost" in refused(site, "mgmt")


def test_a_drill_on_the_last_network_is_refused(site):
    site.cut = {(None, None, 1), (None, None, 2)}
    site.run(5_000)
    assert "no path that carries" in refused(site, "mgmt")
    assert plan(site, "mgmt/udp").cut == {3}
