"""The words that count on each site's hosts: its coordinator's last report, or each node's own."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.hosts.core import HostsWord
from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.codec import Decoder, encode
from roost_protocol.host import HostsReport

_decode: Final = Decoder[HostsReport](HostsReport).decode


async def put(connection: AsyncConnection, site: str, words: Sequence[HostsWord]) -> None:
    """Write the words that count of a site that is there, in place of all before them."""
    table = tables.hosts_report
    speakers = [word.report.by for word in words]
    await connection.execute(
        delete(table).where(table.c.site == site, table.c.speaker.not_in(speakers))
    )
    rows = [
        {
            "site": word.site,
            "speaker": word.report.by,
            "at_ms": word.at_ms,
            "received_ms": word.received_ms,
            "body": encode(word.report),
        }
        for word in words
    ]
    await upsert(connection, table, rows)


async def of_site(connection: AsyncConnection, site: str) -> list[HostsWord]:
    """Return the words on a site's hosts, by the name of who spoke."""
    table = tables.hosts_report
    chosen = select(table).where(table.c.site == site).order_by(table.c.speaker)
    return [_word(row) for row in await connection.execute(chosen)]


async def load_all(connection: AsyncConnection) -> dict[str, list[HostsWord]]:
    """Return every site's words, by site."""
    found: dict[str, list[HostsWord]] = {}
    for row in await connection.execute(select(tables.hosts_report)):
        found.setdefault(row.site, []).append(_word(row))
    return found


def _word(row: Any) -> HostsWord:  # noqa: ANN401 - a row of the table
    return HostsWord(row.site, row.at_ms, row.received_ms, _decode(row.body))
