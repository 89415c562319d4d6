"""One site broker as the agent runs it, and paths of three nodes over it: clear text, or TLS."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

from lan_boxes import Fleet
from loopback_ports import free_port

from roost_agent.ha.broker_files import Member
from roost_agent.ha.brokers import BrokerPlan, SiteBroker
from roost_agent.ha.lan import LanClient, LanIdentity, lan_of
from roost_agent.ha.mqtt import Broker, MqttPath
from roost_agent.ports import SystemClock, SystemEntropy

SITE, NODES = "lab", ("c0", "c1", "w1")
MEMBERS = {index: f"{SITE}.{node}" for index, node in enumerate(NODES)}
PASSWORDS = {name: f"password of {name}" for name in MEMBERS.values()}
HOST = "127.0.0.1"
NUMBER = 4  # of the path


class Scene:
    """The broker runs on c0.

    Attributes:
        boxes: the LAN identities, by node; empty in clear text.
        expected: the CN that the broker's certificate must have.
    """

    def __init__(self, folder: Path, fleet: Fleet | None = None) -> None:
        self.port = free_port()
        self.folder = folder / "broker"
        self.boxes: dict[str, LanIdentity] = {}
        self.expected = f"{SITE}.c0~1"
        if fleet is not None:
            self.boxes = {node: self.box(folder, fleet, node) for node in NODES}
        tls = self.boxes["c0"].broker_files if self.boxes else None
        plan = BrokerPlan((HOST,), self.port, self.members(), tls)
        self.broker = SiteBroker(self.folder, plan, SystemClock(), SystemEntropy())
        self.heard: dict[int, list[bytes]] = {me: [] for me in MEMBERS}
        self.paths = {me: self.path(me) for me in MEMBERS}

    @staticmethod
    def box(folder: Path, fleet: Fleet, node: str, box: int = 1) -> LanIdentity:
        """A box of a fleet that joined at this site."""
        found = lan_of(
            fleet.enrol(folder / f"{node}-{box}-{fleet.pki.folder.name}", SITE, node, box)
        )
        assert found is not None
        return found

    def members(self, **boxes: int) -> tuple[Member, ...]:
        """Who may speak; 0 for a node that is dropped."""
        if not self.boxes:
            return tuple(Member(node, node, PASSWORDS[node]) for node in MEMBERS.values())
        return tuple(
            Member(f"{SITE}.{node}", f"{SITE}.{node}~{boxes.get(node, 1)}")
            for node in NODES
            if boxes.get(node, 1)
        )

    def path(
        self, me: int, password: str | None = None, box: LanIdentity | None = None
    ) -> MqttPath:
        """A node's path; ``box``: of another one than stands for it."""

        def hear(_number: int, payload: bytes) -> None:
            self.heard[me].append(payload)
            if me == 0:
                self.broker.echoed()

        node = MEMBERS[me]
        if self.boxes:
            lan = box or self.boxes[NODES[me]]
            tls = LanClient(lan.context("c0"), lambda: self.expected)
            address = Broker(HOST, self.port, "", node, tls)
        else:
            address = Broker(HOST, self.port, "", node, password or PASSWORDS[node])
        return MqttPath(NUMBER, address, nodes=MEMBERS, hear=hear, entropy=SystemEntropy())

    async def all_open(self) -> None:
        """Wait until every path is."""
        await until(lambda: all(path.is_open for path in self.paths.values()))


@asynccontextmanager
async def running(*runs):
    """Run them for as long as the context lasts."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run()) for run in runs]
        yield
        for task in tasks:
            task.cancel()


async def until(true, *, while_doing=lambda: None, seconds=60):
    """Wait for something, and go on doing something else meanwhile."""
    async with asyncio.timeout(seconds):
        while not true():
            while_doing()
            await asyncio.sleep(0.05)
