"""Whom a node asks whether it is cut off."""

from ipaddress import ip_address

import pytest
from ha_cores import site_file

from roost_agent.ha.config_file import load
from roost_agent.ha.gateway import SILENT_MS
from roost_agent.ha.gateway_watch import FIND_MS, Doors, GatewayWatch

ROUTER, OTHER = ip_address("10.0.0.254"), ip_address("10.0.1.254")


class Clock:
    now_ms = 50_000

    def boot_ms(self):
        return self.now_ms


class Scene:
    """Node c0, whose networks are on eth0 and eth1."""

    def __init__(self, folder, replaced=("", "")):
        file = folder / "ha.toml"
        text = site_file().replace('name="mgmt"', 'name="mgmt", interface="eth0"')
        file.write_text(text.replace(*replaced, 1))
        self.clock = Clock()
        self.routes = [("eth0", ROUTER)]
        self.answering = {ROUTER}
        self.asked = []
        self.fault = None
        here = {"10.0.0.1": "eth0", "10.0.1.1": "eth1", "192.0.2.1": "wan"}
        doors = Doors(lambda: here, lambda: self.routes, self._is_there)
        self.watch = GatewayWatch(load(file), "c0", self.clock, doors)

    async def _is_there(self, place):
        self.asked.append(place)
        if self.fault:
            raise self.fault
        return place[1] in self.answering

    async def look(self, after_ms=0):
        self.clock.now_ms += after_ms
        self.asked.clear()
        await self.watch.look()
        return self.asked


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


async def test_the_default_routes_over_the_site_s_networks_are_asked(scene):
    scene.routes = [("wan", ip_address("192.0.2.254")), ("eth1", OTHER), ("eth0", ROUTER)]
    assert await scene.look() == [("eth1", OTHER), ("eth0", ROUTER)]
    assert scene.watch.said.silent_ms(scene.clock.now_ms) == 0


async def test_one_answer_is_enough(scene):
    scene.routes.append(("eth1", OTHER))
    assert await scene.look() == [("eth0", ROUTER)]


async def test_what_the_file_names_is_asked_in_their_place(tmp_path):
    named = ('name="cluster"', 'name="cluster", gateway="10.0.1.254"')
    assert await Scene(tmp_path, named).look() == [("eth1", OTHER)]


@pytest.mark.parametrize("address", ["10.0.0.2", "10.0.0.9"])
async def test_a_node_or_an_address_that_moves_tells_nothing_of_the_network(tmp_path, address):
    vip = 'vip = [{address="10.0.0.9/24", network="mgmt"}]\n'
    scene = Scene(tmp_path, ('name = "main"\n', f'name = "main"\n{vip}'))
    scene.watch._doors = Doors(
        scene.watch._doors.interfaces, lambda: [("eth0", ip_address(address))], scene._is_there
    )
    assert await scene.look() == []


async def test_routes_are_looked_up_now_and_then(scene):
    await scene.look()
    scene.routes = []
    assert await scene.look(FIND_MS - 1) == [("eth0", ROUTER)]
    assert await scene.look(1) == []


async def test_silence_counts_once_it_has_lasted_and_a_site_without_gateway_has_none(scene):
    assert not scene.watch.is_silent()
    await scene.look()
    scene.answering.clear()
    await scene.look(SILENT_MS - 1)
    assert not scene.watch.is_silent()
    await scene.look(1)
    assert scene.watch.is_silent()


async def test_a_node_that_may_not_ask_says_so_once(scene, caplog):
    scene.fault = PermissionError(1, "Operation not permitted")
    await scene.look()
    await scene.look()
    assert not scene.watch.is_silent()
    assert [each.getMessage() for each in caplog.records] == [
        "ha: gateway 10.0.0.254 on eth0: Operation not permitted: it cannot be asked"
    ]
