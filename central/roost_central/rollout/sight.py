"""What is known of sites now, for the cores: from the fleet's view and the open alarms."""

from collections.abc import Iterable

from roost_central.alarms.book import AlarmBook
from roost_central.fleet.view import FleetView, NodeRow
from roost_central.rollout.head import AlarmSeen, Standing
from roost_central.rollout.job import SITE_ENDS, Job, job_id
from roost_central.rollout.waves import Candidate, Key
from roost_protocol.severity import Severity

MAJOR = Severity.MAJOR  # a site with such an alarm is no canary

HEARD = frozenset({"online", "degraded"})
BEAT_MS = 30_000  # of a node that does not say how often it beats
LINK_LABELS = ("link", "carrier")  # the first that a site has names its shared link
TZ_LABEL = "tz"


class Sites:
    """Reads the view and the book; alarms are put in order once for each change of them."""

    def __init__(self, view: FleetView, book: AlarmBook) -> None:
        self._view = view
        self._book = book
        self._alarms: dict[str, tuple[AlarmSeen, ...]] = {}
        self._seq = -1

    def refresh(self) -> set[str]:
        """Take in the open alarms; return the sites of which some came or went."""
        if self._seq == self._book.last_seq:
            return set()
        self._seq = self._book.last_seq
        found: dict[str, list[AlarmSeen]] = {}
        for row in self._book.open_alarms():
            if row.site is None or row.shelf is not None or row.state != "active":
                continue
            kind = self._book.catalogue.get(row.type)
            stops = kind is not None and row.severity >= kind.mgmt_affecting
            seen = AlarmSeen(f"{row.type}|{row.entity}", row.type, Severity(row.severity), stops)
            found.setdefault(row.site, []).append(seen)
        after = {site: tuple(some) for site, some in found.items()}
        before, self._alarms = self._alarms, after
        return {
            site for site in before.keys() | after.keys() if before.get(site) != after.get(site)
        }

    def alarms(self, site: str) -> tuple[AlarmSeen, ...]:
        """Return the open alarms of a site."""
        return self._alarms.get(site, ())

    def standing(self, job: Job, rollout: str, component: str) -> Standing:
        """Return what is known of a job's site."""
        rows = [self._view.nodes.get(node) for node in job.nodes]
        id_ = job_id(rollout, job)
        there = [row for row in rows if row is not None]
        return Standing(
            is_dark=not any(row.presence in HEARD for row in there),
            runs=tuple(_runs(row, component) for row in rows),
            boots=tuple("" if row is None else row.boot_id or "" for row in rows),
            alarms=self.alarms(job.site),
            said=tuple(
                (row.node, row.update)
                for row in there
                if row.update is not None and row.update.job == id_
            ),
            beat_ms=max((row.interval_ms or BEAT_MS for row in there), default=BEAT_MS),
            is_free=_is_free(job, there, id_),
        )

    def candidate(self, site: str, component: str, digest: str, busy: Iterable[str]) -> Candidate:
        """Return a site as plans see it."""
        row = self._view.sites[site]
        nodes = [self._view.nodes[node] for node in row.nodes]
        alarms, held = self.alarms(site), ""
        if not any(node.presence in HEARD for node in nodes):
            held = "silent"
        elif site in busy:
            held = "in another rollout"
        runs = [_runs(node, component) for node in nodes]
        link = next((row.labels[key] for key in LINK_LABELS if row.labels.get(key)), "")
        hw = row.labels.get("hw", "")
        roles = "+".join(sorted({_role(node) for node in nodes}))
        versions = {each[0] if each else "" for each in runs}
        kinds: frozenset[Key] = frozenset((hw, roles, link, version) for version in versions)
        known = [each for each in runs if each is not None]
        is_one = len(known) == len(nodes) and len({*known}) == 1
        return Candidate(
            site=site,
            kinds=kinds,
            hw=hw,
            link=link,
            nodes=tuple(row.nodes),
            former=known[0] if is_one else ("", ""),
            why_not=held or next((f"alarm {a.type}" for a in alarms if a.severity >= MAJOR), ""),
            held=held,
            alarms=alarms,
            is_current=bool(nodes) and all(each is not None and each[1] == digest for each in runs),
            is_exposed=len(nodes) == 1,
        )

    def nodes(self, site: str) -> list[str]:
        """Return the nodes of a site."""
        row = self._view.sites.get(site)
        return [] if row is None else list(row.nodes)

    def timezone(self, site: str) -> str:
        """Return the zone of a site's windows."""
        row = self._view.sites.get(site)
        return (row.labels.get(TZ_LABEL) if row is not None else None) or "UTC"

    def dark_pct(self) -> float:
        """Return how much of the fleet's sites are silent."""
        sites = self._view.sites
        nodes = self._view.nodes
        dark = sum(
            not any(nodes[node].presence in HEARD for node in row.nodes) for row in sites.values()
        )
        return 100.0 * dark / len(sites) if sites else 0.0


def job_for(site: Candidate, wave: int, *, is_late: bool = False) -> Job:
    """Return the job of a site in a wave."""
    return Job(
        site=site.site, wave=wave, nodes=site.nodes, hw=site.hw, link=site.link,
        former=site.former, is_late=is_late,
    )  # fmt: skip


def _runs(row: NodeRow | None, component: str) -> tuple[str, str] | None:
    if row is None or row.software is None:
        return None
    running = row.software.get(component)
    return None if running is None else (running.version, running.digest)


def _is_free(job: Job, there: Iterable[NodeRow], id_: str) -> bool:
    """Say whether all nodes that put a job off have told since that another one has ended.

    A node's newest word counts: that it puts this one off took the place of all before.
    """
    busy = {node for node, said in job.said.items() if said.is_refusal}
    free = {
        row.node
        for row in there
        if row.update is not None and row.update.job != id_ and row.update.state in SITE_ENDS
    }
    return bool(busy) and busy <= free


def _role(row: NodeRow) -> str:
    if row.ha is None:
        return "plain"
    return "voter" if row.ha.groups else "ha"
