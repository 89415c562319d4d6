"""Central in one look: whether it answers, what it knows, what came in."""

from urllib.parse import urlsplit

from roost_central.api.alarm_rows import counts_answer
from roost_central.api.answers import Broker, Health, Ingest, Status
from roost_central.api.call import Call, NoQuery
from roost_central.api.instants import instant
from roost_central.api.rows import count_nodes, count_sites


async def show_health(call: Call[NoQuery, None]) -> Health:  # noqa: ARG001 - a handler's signature
    """GET /health."""
    return Health(status="ok")


async def show_status(call: Call[NoQuery, None]) -> Status:
    """GET /api/v1/status."""
    api, ingest = call.api, call.api.ingest
    return Status(
        version=api.version,
        epoch=api.live.epoch,
        started=instant(api.started_ms),
        now=instant(call.now_ms),
        sites=count_sites(api.view.sites.values()),
        nodes=count_nodes(api.view.nodes.values()),
        ingest=Ingest(
            beats=ingest.beats,
            reports=ingest.reports,
            items=ingest.items,
            receipts=ingest.receipts,
            refused=dict(ingest.refused),
            queue=ingest.queue,
            dead_letters=ingest.dead_letters,
        ),
        brokers=[
            Broker(
                name=broker.name,
                url=_without_credentials(broker.url),
                state=broker.state,
                since=instant(broker.since_ms),
            )
            for broker in ingest.brokers
        ],
        quiet=ingest.quiet,
        alarms=counts_answer(api.alarms),
    )


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
