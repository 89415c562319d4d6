"""A node is taken out of its site's service as far as the site can spare it, and put back."""

from types import SimpleNamespace

import pytest
from updated_site import SERVING, UpdatedSite

from roost_agent.host.act import SWACT, UNLOCK, ActRefusedError
from roost_agent.update import out_of_service
from roost_agent.update.out_of_service import LOCK, OutOfService
from roost_protocol.host import Admin


async def test_a_node_drains_for_as_long_as_the_site_cannot_spare_it(tmp_path, monkeypatch):
    site = UpdatedSite(tmp_path)
    monkeypatch.setattr(out_of_service, "DRAIN_POLL_S", 0)
    whys = ["web would run nowhere", "web would run nowhere", ""]
    site.hosts[0].site = SimpleNamespace(may_go=lambda: whys.pop(0))
    assert await site.service(0).drain() == ""
    assert not whys


class Acts:
    """What is asked of the host; ``why`` refuses it."""

    def __init__(self):
        self.verbs, self.why = [], ""

    async def do(self, wanted):
        self.verbs.append(wanted.verb)
        if self.why:
            raise ActRefusedError("refused", self.why)


@pytest.mark.parametrize(
    ("admin", "verbs"),
    [(Admin.UNLOCKED, [SWACT, LOCK]), (Admin.LOCKED, [SWACT, UNLOCK])],
)
async def test_a_host_is_locked_and_unlocked_where_it_is_not_so_already(admin, verbs):
    acts, host = Acts(), SimpleNamespace(core=SimpleNamespace(state=(admin, *SERVING[1:])))
    service = OutOfService(host, acts, None)
    done = [await service.hand_over(), await service.lock(), await service.unlock()]
    assert (acts.verbs, done) == (verbs, [""] * 3)
    acts.why = "web would run nowhere"
    assert await service.hand_over() == "web would run nowhere"
