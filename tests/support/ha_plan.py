"""What a site of real nodes is to be, and the file that says so to its agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from roost_agent.ha.timing import Timing, preset

NETWORKS = ("mgmt", "cluster")
MQTT_PORT, TLS_PORT, UDP_PORT = 1884, 8883, 4884
SMALL = 3  # nodes of a site that has every path; larger ones beat on three
WATCHDOG = "hard"
WAN_WITNESS = "{probe_s=1, gone_s=30, back_s=5, lost_s=30}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A site: c0 and c1 host the group ``main``, all nodes vote; two nodes are a sticky pair.

    Attributes:
        names: of the nodes.
        exclusive: ``soft``, or ``hard``: each node has a watchdog that ends all of it.
        ladder: of the service.
        is_stubborn: whether the service ignores SIGTERM.
        has_udp: whether there are paths without a broker.
        ahead_s: node to how far its boot clock is ahead: a time namespace.
        has_wan_witness: whether the centre votes as well; its times are seconds, not minutes.
        has_own_wall: whether the agents' wall clocks can be set (walled_agent.py).
        has_lan: whether the nodes are enrolled: their brokers then speak TLS (lan_boxes.py).
        starts_alone: whether the last holder of a pair starts without the other.
    """

    profile: str = "default"
    names: tuple[str, ...] = ("c0", "c1", "w1")
    exclusive: str = "soft"
    ladder: tuple[str, ...] = ("restart:3/600",)
    is_stubborn: bool = False
    has_udp: bool = True
    ahead_s: tuple[tuple[str, int], ...] = ()
    has_own_wall: bool = False
    has_wan_witness: bool = False
    has_lan: bool = False
    starts_alone: bool = False

    @property
    def timing(self) -> Timing:
        """The constants of its profile."""
        return preset(self.profile)

    @property
    def promise_s(self) -> float:
        """After its last grant nobody else gets the lease for so long."""
        return self.timing.promise_ms(self.watchdog_ms) / 1000

    @property
    def watchdog_ms(self) -> int:
        """Within which a watchdog bites; 0 without one."""
        return self.timing.watchdog_ms if self.exclusive == WATCHDOG else 0

    def text(self, command: Sequence[str | Path]) -> str:
        """Return the site's file without what differs between nodes; ``command`` is the service."""
        words = [*command, *(["stubborn"] if self.is_stubborn else [])]
        witness = 'witness = "node"\n' if len(self.names) > 2 else ""
        if self.starts_alone:
            witness = 'cold_start_alone = "last_holder"\n'
        if self.has_wan_witness:
            witness = f'witness = "central"\nwan_witness = {WAN_WITNESS}\n'
        return (
            f'profile = "{self.profile}"\nvoters = {list(self.names)!r}\n{witness}'
            f"{self._port()}udp_port = {UDP_PORT}\n"
            'networks = [{name="mgmt", weight=4}, {name="cluster", weight=2}]\n'
            f"paths = [{', '.join(self._paths())}]\n{self._nodes()}"
            '[[group]]\nname = "main"\nmodel = "2N"\nhosts = ["c0", "c1"]\n'
            f'[[service]]\nname = "writer"\ngroup = "main"\nexclusive = "{self.exclusive}"\n'
            f"ladder = {list(self.ladder)!r}\n"
            f"run = {{start={[str(each) for each in words]!r}}}\n"
            "budget = {start_s=5, stop_s=0.3}\n"
        )

    def _port(self) -> str:
        return "" if self.has_lan else f"mqtt_port = {MQTT_PORT}\n"

    def _paths(self) -> list[str]:
        is_small = len(self.names) <= SMALL
        ways = [
            f'{{driver="mqtt", broker="{broker}", network="{network}"}}'
            for place, broker in enumerate(self.names[:2])
            for network in (NETWORKS if is_small else NETWORKS[place : place + 1])
        ]
        udp = [f'{{driver="udp", network="{network}"}}' for network in NETWORKS]
        return [*ways, *((udp if is_small else udp[1:]) if self.has_udp else [])]

    def _nodes(self) -> str:
        return "".join(
            f'[[node]]\nname = "{name}"\nindex = {index}\naddress = {{'
            + ", ".join(f'{net} = "{address(net, index)}"' for net in NETWORKS)
            + "}\n"
            for index, name in enumerate(self.names)
        )


def address(network: str, index: int) -> str:
    """Return a node's address on a network; the same in every site, each has its own bridges."""
    return f"10.77.{NETWORKS.index(network)}.{index + 1}"
