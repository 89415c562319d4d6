"""A node's place: alone by what its configuration says, or in a site that it has to be seen in."""

from types import SimpleNamespace

import pytest

from roost_agent.update.baseline import Baseline
from roost_agent.update.kept import Kept
from roost_agent.update.site_standing import Role
from roost_agent.update_host import Alone, InSite


@pytest.mark.parametrize(
    ("said", "role"),
    [((), "controller"), (("edge",), "controller"), (("edge", "worker"), "worker"),
     (("storage",), "storage"), (("worker", "controller"), "controller")],
)  # fmt: skip
def test_a_node_alone_is_what_its_configuration_says(said, role):
    config = SimpleNamespace(processes=SimpleNamespace(roles=said))
    assert Alone(SimpleNamespace(config=config), None).role is Role(role)


class Lone:
    why = ""
    closed = look = is_reached = baseline = None

    async def unwell(self, _kept, _expected):
        return self.why


async def test_a_release_is_measured_by_the_nodes_place_in_its_site_and_the_way_back_is_not():
    views = ["n2, which coordinates the site, does not hear this node", "", ""]
    part = dict.fromkeys(("drain", "hand_over", "lock", "unlock", "near", "lending"))
    place = InSite(Lone(), SimpleNamespace(view=lambda: views.pop(0), is_cut_off=False, **part))
    kept = Kept(before=Baseline())
    assert "does not hear this node" in await place.unwell(kept, ())
    assert await place.unwell(kept, ()) == ""
    Lone.why = "health check disk: full"
    assert await place.unwell(kept, ()) == "health check disk: full"
    assert await place.unwell(Kept(), ()) == "health check disk: full", "it was not asked"
    assert views == []


async def passes(_stage):
    return []


async def test_a_node_that_is_not_reached_any_more_is_unwell_unless_its_whole_site_is_cut_off():
    part = dict.fromkeys(("drain", "hand_over", "lock", "unlock", "near", "lending"))
    site = SimpleNamespace(is_cut_off=False, view=str, **part)
    alone = Alone(SimpleNamespace(wires={}, health=SimpleNamespace(check=passes)), None)
    place, kept = InSite(alone, site), Kept(was_reached=True)
    assert await place.unwell(kept, ()) == "it beats on no path, and did before"
    site.is_cut_off = True
    assert await place.unwell(kept, ()) == ""
