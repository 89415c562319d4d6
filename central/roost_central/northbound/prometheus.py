"""``/metrics`` in Prometheus' text format 0.0.4, and the targets of its HTTP service discovery."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from roost_central.fleet.view import FleetView
from roost_central.northbound.feed import AlarmFeed
from roost_central.northbound.target import TargetState

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SEVERITIES: Final = ("critical", "major", "minor", "warning")
STATUSES: Final = ("ok", "degraded", "maintenance", "down", "unknown")
DELAYS_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 600.0)  # P19's 5 s is one of them

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]


class TargetGroup(msgspec.Struct, frozen=True):
    """One entry of an HTTP service discovery."""

    targets: list[str]
    labels: dict[str, str]


class Delays:
    """How long transitions took from the change at the node until the centre told of them."""

    def __init__(self) -> None:
        self._counts = [0] * len(DELAYS_S)
        self._sum_s = 0.0
        self._all = 0

    def observe(self, seconds: float) -> None:
        """Count one."""
        seconds = max(0.0, seconds)
        self._sum_s += seconds
        self._all += 1
        for place, bound in enumerate(DELAYS_S):
            if seconds <= bound:
                self._counts[place] += 1

    def samples(self, name: str) -> Iterable[Sample]:
        """Return the samples of a histogram."""
        for bound, count in zip(DELAYS_S, self._counts, strict=True):
            yield f"{name}_bucket", {"le": f"{bound:g}"}, count
        yield f"{name}_bucket", {"le": "+Inf"}, self._all
        yield f"{name}_sum", {}, self._sum_s
        yield f"{name}_count", {}, self._all


def metrics(
    feed: AlarmFeed,
    view: FleetView,
    targets: Sequence[TargetState],
    delays: Delays,
    *,
    with_sites: bool = False,
) -> str:
    """Return the page.

    Args:
        feed: of alarms.
        view: of sites.
        targets: of northbound.
        delays: observed so far.
        with_sites: also a series a site: 10,000 sites are 10,000 series.
    """
    page = _Page()
    summary = feed.flat_summary()
    page.family("roost_alarms_active", "gauge", "Visible open alarms by severity")
    for word in SEVERITIES:
        page.sample("roost_alarms_active", {"severity": word}, getattr(summary, word))
    page.family("roost_alarms_hidden", "gauge", "Open alarms that are out of the default list")
    for word in ("unknown", "shelved", "masked"):
        page.sample("roost_alarms_hidden", {"why": word}, getattr(summary, word))
    page.family("roost_incidents_open", "gauge", "Open incidents")
    page.sample("roost_incidents_open", {}, summary.incidents)
    statuses = Counter(row.status for row in view.sites.values())
    page.family("roost_sites", "gauge", "Sites by status")
    for word in STATUSES:
        page.sample("roost_sites", {"status": word}, statuses[word])
    page.family("roost_alarm_delay_seconds", "histogram", "From a change until it was told of")
    for sample in delays.samples("roost_alarm_delay_seconds"):
        page.sample(*sample)
    _northbound(page, targets)
    if with_sites:
        page.family("roost_site_status", "gauge", "1 for the status that a site has")
        for row in view.sites.values():
            page.sample("roost_site_status", {"site": row.site, "status": row.status}, 1)
    return page.text()


def _northbound(page: "_Page", targets: Sequence[TargetState]) -> None:
    families = (
        ("roost_northbound_queue", "gauge", "Transitions a target has not passed"),
        ("roost_northbound_sent_total", "counter", "Messages a target took"),
        ("roost_northbound_dead_letters", "gauge", "Messages given up and kept"),
        ("roost_northbound_up", "gauge", "1 when a target takes messages"),
    )
    for name, kind, words in families:
        page.family(name, kind, words)
        for state in targets:
            value = {
                "roost_northbound_queue": state.queue,
                "roost_northbound_sent_total": state.sent,
                "roost_northbound_dead_letters": state.letters,
            }.get(name, int(state.word in {"ok", "idle"}))
            page.sample(name, {"target": state.name, "kind": state.kind}, value)


def discovery(view: FleetView, port: int) -> list[TargetGroup]:
    """Return one group a node, ``NODE.SITE:PORT``, with the labels of its site.

    The name is the node's in the fleet: the NOC's own DNS, or a relabelling, turns it into an
    address, which the centre does not claim to know.
    """
    groups = []
    for node in view.nodes.values():
        site = view.sites[node.site]
        labels = {f"__meta_roost_label_{_word(key)}": value for key, value in site.labels.items()}
        labels |= {
            "site": node.site,
            "node": node.name,
            "__meta_roost_status": site.status,
            "__meta_roost_presence": node.presence,
        }
        groups.append(TargetGroup([f"{node.name}.{node.site}:{port}"], labels))
    return groups


class _Page:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def family(self, name: str, kind: str, words: str) -> None:
        self._lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]

    def sample(self, name: str, labels: Labels, value: float) -> None:
        inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
        self._lines.append(f"{name}{{{inner}}} {value}" if inner else f"{name} {value}")

    def text(self) -> str:
        return "\n".join([*self._lines, ""])


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _word(text: str) -> str:
    return "".join(each if each.isalnum() and each.isascii() else "_" for each in text)
