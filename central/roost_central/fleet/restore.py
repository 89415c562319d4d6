"""Fills the fleet view from storage at start.

What was last seen is shown with its age; presence and path states are not restored: this process
has heard nobody yet, and nothing is reported that was not observed.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.delivery.told import short_of
from roost_central.fleet.view import FleetView, NodeRow, PathRow
from roost_central.hosts.core import words_of
from roost_central.storage import hosts, nodes, sites
from roost_central.storage.last_reports import CONFIG, HA, SOFTWARE, UPDATES


async def restore(connection: AsyncConnection) -> FleetView:
    """Return the fleet as storage knows it; every presence is unknown."""
    view = FleetView()
    for site in await sites.load_all(connection):
        row = view.add_site(site.site, site.shard)
        row.labels = site.labels
        row.lat, row.lon = site.lat, site.lon
        row.revision = site.revision
        row.managed, row.managed_why = site.managed, site.managed_why
        row.managed_since_ms = site.managed_since_ms
    for record in await nodes.load_all(connection):
        _fill(view.add_node(record.node, record.site, record.name), record)
    for path in await nodes.load_paths(connection):
        view.nodes[path.node].paths[path.path] = PathRow(
            name=path.path,
            kind=path.kind,
            since_ms=path.since_ms,
            rtt_us=path.rtt_us,
            loss_permille=path.loss_permille,
            heard_ms=path.heard_ms,
            reported_ms=path.reported_ms,
        )
    for said in await HA.load_all(connection):
        node = view.nodes[said.node]
        node.ha, node.ha_at_ms = said.report, said.at_ms
    for runs in await SOFTWARE.load_all(connection):
        view.nodes[runs.node].software = runs.report.components
    for job in await UPDATES.load_all(connection):
        view.nodes[job.node].update = job.report
    for config in await CONFIG.load_all(connection):
        view.nodes[config.node].settings = short_of(config)
    for site_id, words in (await hosts.load_all(connection)).items():
        view.put_hosts(site_id, words_of(words))
    return view


def _fill(row: NodeRow, record: nodes.NodeRecord) -> None:
    row.labels = record.labels
    row.heard_ms = record.heard_ms
    row.via = record.via
    row.agent = record.agent
    row.boot_id = record.boot_id.hex() if record.boot_id else None
    row.incarnation = record.incarnation
    row.uptime_s = record.uptime_s
    row.interval_ms = record.interval_ms
    row.clock_skew_ms = record.clock_skew_ms
    row.inventory_gen = record.inventory_gen
    row.inventory_digest = record.inventory_digest.hex() if record.inventory_digest else None
    row.inventory_as_of_ms = record.inventory_as_of_ms
    row.config.applied_gen = record.applied_gen
    row.config.applied_digest = record.applied_digest.hex() if record.applied_digest else None
    row.config.pending_reboot = record.pending_reboot
    row.config.drift = record.drift
