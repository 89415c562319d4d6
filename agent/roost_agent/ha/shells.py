"""What the runtime of local HA drives: sockets, disk, processes, the node's alarms, the way up."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from roost_agent.ha.admission import Admission
from roost_agent.ha.bite import Bite
from roost_agent.ha.brokers import SiteBroker
from roost_agent.ha.condition import ConditionWatch
from roost_agent.ha.gateway_watch import GatewayWatch
from roost_agent.ha.guard_client import GuardClient
from roost_agent.ha.guard_report import GuardReport
from roost_agent.ha.lan import LanIdentity
from roost_agent.ha.link import HaPath
from roost_agent.ha.peer import Peers
from roost_agent.ha.store import Store
from roost_agent.ha.workload import Workload
from roost_protocol.explain import Explain

if TYPE_CHECKING:
    from roost_agent.ha.fence.shell import Fencing
    from roost_agent.ha.runtime import Runtime


class Alarming(Protocol):
    """What takes conditions: the node's alarms."""

    def raise_condition(self, type_: str, params: dict[str, str], entity: str) -> None:
        """Raise one."""

    def clear_condition(self, type_: str, entity: str) -> None:
        """Clear one."""

    def standing(self, prefix: str) -> dict[str, str]:
        """Return the texts of what stands of some types, by key."""


class Telling(Protocol):
    """What takes decisions and states to the centre."""

    def explained(self, runtime: "Runtime", said: Explain) -> Explain:
        """Note a decision; return it with the names of its nodes."""

    def done(self, runtime: "Runtime") -> None:
        """Look at what changed with the effects just done."""

    async def run(self, runtime: "Runtime") -> None:
        """Hand over what is due, until cancelled."""


class Drilling(Protocol):
    """What carries drills through."""

    async def run(self, runtime: "Runtime") -> None:
        """Carry them through, until cancelled."""


class Biting(Protocol):
    """What tests the watchdog, and knows which ones bit."""

    @property
    def known(self) -> Mapping[str, Bite]:
        """The tests that were made, by the guard's words for device and machine."""

    def look(self, report: GuardReport) -> None:
        """Take in what the guard says of itself."""

    async def run(self, runtime: "Runtime") -> None:
        """Carry tests through, until cancelled."""


class Shells(msgspec.Struct):
    """What the runtime drives; ``guard`` and ``workload`` None where no group needs a lease.

    Attributes:
        lan: None: this box has no identity, and speaks to site brokers in clear text.
    """

    peers: Peers
    paths: list[HaPath]
    store: Store
    broker: SiteBroker | None
    guard: GuardClient | None
    workload: Workload | None
    alarms: Alarming | None = None
    upward: Telling | None = None
    condition: ConditionWatch | None = None
    fencing: "Fencing | None" = None
    drills: Drilling | None = None
    bites: Biting | None = None
    gateways: GatewayWatch | None = None
    lan: LanIdentity | None = None
    admission: Admission | None = None
