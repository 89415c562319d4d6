"""The fleet as it is known now, in memory: what ingest writes and the API reads.

Rows hold the last observed values with their times; ages are computed by the reader. The durable
copy is storage's business, the decision what a silence means is liveness' business.

Invariants: a row's ``index`` never changes and is never given to another row of the same kind
while the process lives (dashboards address rows by it); every change of state goes through
``touch_*`` so that each listener hears of it once, however often it happened in between.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from roost_central.hosts.core import HostWord
from roost_protocol.ha_report import HaReport
from roost_protocol.update import JobReport, Running


@dataclass(slots=True)
class PathRow:
    """One path of one node. Times are UTC ms of central's clock, except ``since_ms`` (node's).

    ``heard_ms`` is the last arrival on this path, for WAN paths; a site path is known only from
    the node's own word (``reported_ms``).
    """

    name: str
    kind: str  # wan, site
    state: str = "unknown"  # unknown, up, flaky, down
    since_ms: int | None = None
    rtt_us: int | None = None
    loss_permille: int | None = None
    heard_ms: int | None = None
    reported_ms: int | None = None


@dataclass(slots=True)
class ConfigRow:
    """What a node should be, as far as it has come.

    ``applied_*``, ``pending_reboot`` and ``drift`` are of its last beat that had them; the rest is
    the centre's word (delivery/).
    """

    applied_gen: int | None = None  # 0: nothing yet; None: nobody can configure it
    applied_digest: str | None = None  # hex, as beats have it
    pending_reboot: bool | None = None
    drift: int | None = None  # settings that other hands changed
    state: str = "none"  # none, unable, in-sync, pending, applying, waiting, failed
    desired_gen: int | None = None
    profiles: tuple[str, ...] = ()  # whose settings these are
    held_by: str = ""  # the rollout in which its turn has not come
    why: str = ""  # of failed and waiting


@dataclass(frozen=True, slots=True)
class SettingsWord:
    """A node's last report on settings: of which document (hex), and what became of it there.

    ``received_ms`` is the centre's clock; ``state`` a word of ConfigState, ``why`` a sentence.
    """

    digest: str
    state: str
    why: str
    received_ms: int


@dataclass(slots=True)
class NodeRow:
    """One node: presence, what its last beat said, and how old its inventory is."""

    index: int
    node: str
    site: str
    name: str
    presence: str = "unknown"  # online, degraded, unreachable, unknown
    presence_since_ms: int | None = None
    heard_ms: int | None = None
    via: str | None = None  # path of the last arrival
    broker: str | None = None  # that it came by
    agent: str | None = None  # version
    boot_id: str | None = None  # hex
    incarnation: int | None = None
    uptime_s: int | None = None
    interval_ms: int | None = None
    clock_skew_ms: int | None = None  # node's clock less central's, of the last beat
    paths: dict[str, PathRow] = field(default_factory=dict)
    outbox: dict[str, dict[str, int]] = field(default_factory=dict)  # lane -> waiting, dropped
    inventory_gen: int | None = None
    inventory_digest: str | None = None  # hex
    inventory_as_of_ms: int | None = None
    inventory_behind: bool = False  # the last beat's digest is not the stored one
    ha: HaReport | None = None  # its last word on its site's local HA
    ha_at_ms: int | None = None  # when it said so, by its own clock
    host: HostWord | None = None  # its coordinator's last word on it
    config: ConfigRow = field(default_factory=ConfigRow)
    enrolled_ms: int | None = None  # when its box got its first identity
    quarantine: str = ""  # why it is in quarantine: grace, clone, operator
    quarantine_since_ms: int | None = None
    quarantine_reason: str = ""
    labels: dict[str, str] = field(default_factory=dict)  # its own, beside its site's
    software: Mapping[str, Running] | None = None  # what it runs, by component; None: it never said
    update: JobReport | None = None  # its last word on an update
    settings: SettingsWord | None = None  # its last report on its settings

    @property
    def sent_ms(self) -> int | None:
        """When it said its last beat, by its own clock."""
        if self.heard_ms is None or self.clock_skew_ms is None:
            return None
        return self.heard_ms + self.clock_skew_ms


@dataclass(slots=True)
class SiteRow:
    """One site: status from its nodes, and its labels."""

    index: int
    site: str
    shard: int
    labels: dict[str, str] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    revision: int = 1  # +1 at each change of labels or place: the ETag
    status: str = "unknown"  # ok, degraded, maintenance, down, unknown
    status_since_ms: int | None = None
    nodes: list[str] = field(default_factory=list)  # node ids, in order of appearance
    managed: bool = True  # else it is looked at and left alone: no order, no alarm of silence
    managed_why: str = ""  # an operator's words
    managed_since_ms: int | None = None  # None: since it is known
    wanted: Mapping[str, Running] = field(default_factory=dict)  # by rollouts, by component


class Changes:
    """What one listener has not read yet; bounded by the size of the fleet, since it is sets."""

    def __init__(self) -> None:
        self.sites: dict[str, None] = {}
        self.nodes: dict[str, None] = {}
        self.heard: dict[str, None] = {}
        self.structure = False  # a site or node appeared or went

    def drain(self) -> "Changes":
        """Return what is new since the last call, and begin again."""
        taken = Changes()
        taken.sites, self.sites = self.sites, {}
        taken.nodes, self.nodes = self.nodes, {}
        taken.heard, self.heard = self.heard, {}
        taken.structure, self.structure = self.structure, False
        return taken


class FleetView:
    """All sites and nodes by id, in order of appearance."""

    def __init__(self, *, within: "FleetView | None" = None) -> None:
        """Begin with nothing, or as a part of another view that holds the same rows."""
        self.sites: dict[str, SiteRow] = {}
        self.nodes: dict[str, NodeRow] = {} if within is None else _Part(within.nodes)
        self._hosts: dict[str, Mapping[str, HostWord]] = {}
        self._next_index = 0
        self._listeners: list[Changes] = []

    @contextmanager
    def listen(self) -> Iterator[Changes]:
        """Give a listener its own record of changes while the context lasts."""
        changes = Changes()
        self._listeners.append(changes)
        try:
            yield changes
        finally:
            self._listeners.remove(changes)

    def add_site(self, site: str, shard: int) -> SiteRow:
        """Return the row of a site, new where there was none."""
        row = self.sites.get(site)
        if row is None:
            row = SiteRow(index=self._index(), site=site, shard=shard)
            self.sites[site] = row
            self._structure()
            self.touch_site(site)
        return row

    def add_node(self, node: str, site: str, name: str) -> NodeRow:
        """Return the row of a node of a site that is there, new where there was none."""
        row = self.nodes.get(node)
        if row is None:
            row = NodeRow(index=self._index(), node=node, site=site, name=name)
            row.host = self._hosts.get(site, {}).get(node)  # others may speak of it before it does
            self.nodes[node] = row
            self.sites[site].nodes.append(node)
            self._structure()
            self.touch_node(node)
        return row

    def remove_site(self, site: str) -> None:
        """Forget a site and its nodes."""
        row = self.sites.pop(site)
        self._hosts.pop(site, None)
        for node in row.nodes:
            self.nodes.pop(node, None)
        self._structure()

    def remove_node(self, node: str) -> None:
        """Forget a node; its site stays."""
        row = self.nodes.pop(node)
        self.sites[row.site].nodes.remove(node)
        self._structure()
        self.touch_site(row.site)

    def forget_nodes(self, whole: "FleetView") -> None:
        """Forget the nodes of this part that the whole has no more; their sites know already."""
        for node in [node for node in self.nodes if node not in whole.nodes]:
            del self.nodes[node]
            self._structure()

    def adopt(self, row: SiteRow, nodes: Iterable[NodeRow]) -> None:
        """Show a site and its nodes of the view that this is a part of, and that it changed."""
        fresh = {node.node: node for node in nodes if self.nodes.get(node.node) is not node}
        if self.sites.get(row.site) is not row or fresh:
            self.sites[row.site] = row
            self.nodes.update(fresh)
            self._structure()
        self.touch_site(row.site)

    def put_hosts(self, site: str, words: Mapping[str, HostWord]) -> None:
        """Show what a site's coordinator says of its hosts, in place of all it said before."""
        row = self.sites.get(site)
        if row is None:
            return
        self._hosts[site] = words
        for node in row.nodes:
            found = words.get(node)
            if self.nodes[node].host != found:
                self.nodes[node].host = found
                self.touch_node(node)

    def touch_site(self, site: str) -> None:
        """Tell listeners that a site's status or labels changed."""
        for changes in self._listeners:
            changes.sites[site] = None

    def touch_node(self, node: str) -> None:
        """Tell listeners that something of a node other than its last arrival changed."""
        for changes in self._listeners:
            changes.nodes[node] = None

    def heard(self, node: str) -> None:
        """Tell listeners that a node was heard: cheap, for every beat."""
        for changes in self._listeners:
            changes.heard[node] = None

    def _index(self) -> int:
        index = self._next_index
        self._next_index += 1
        return index

    def _structure(self) -> None:
        for changes in self._listeners:
            changes.structure = True


class _Part(dict[str, NodeRow]):
    """Nodes of a part of a fleet.

    A row of a site is shared with the whole, and so is its list of nodes: one that appeared a
    moment ago is looked up there, by ``[]`` alone.
    """

    def __init__(self, whole: dict[str, NodeRow]) -> None:
        super().__init__()
        self._whole = whole

    def __missing__(self, node: str) -> NodeRow:
        return self._whole[node]
