"""The last report of each node, of each kind, in place of the one before."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import upsert
from roost_protocol.codec import Decoder, encode
from roost_protocol.config_report import ConfigReport
from roost_protocol.ha_report import HaReport
from roost_protocol.host_report import HostReport
from roost_protocol.update import JobReport, SoftwareReport

R = TypeVar("R", HaReport, HostReport, ConfigReport, SoftwareReport, JobReport)


@dataclass(frozen=True, slots=True)
class LastReport(Generic[R]):
    """A report as kept; ``at_ms`` is the node's clock, ``received_ms`` the centre's."""

    node: str
    at_ms: int
    received_ms: int
    report: R


class LastReports(Generic[R]):
    """The reports of one kind; their table has one row a node."""

    def __init__(self, table: Table, report: type[R]) -> None:
        self._table = table
        self._decode: Callable[[bytes], R] = Decoder[R](report).decode

    async def save(self, connection: AsyncConnection, records: Iterable[LastReport[R]]) -> None:
        """Write reports; of nodes that are not there nothing."""
        rows = [
            {
                "node": record.node,
                "at_ms": record.at_ms,
                "received_ms": record.received_ms,
                "body": encode(record.report),
            }
            for record in records
        ]
        await upsert(connection, self._table, rows)

    async def find(self, connection: AsyncConnection, node: str) -> LastReport[R] | None:
        """Return the report of a node."""
        asked = select(self._table).where(self._table.c.node == node)
        row = (await connection.execute(asked)).one_or_none()
        return None if row is None else self._read(row)

    async def load_all(self, connection: AsyncConnection) -> list[LastReport[R]]:
        """Return the report of every node."""
        return [self._read(row) for row in await connection.execute(select(self._table))]

    def _read(self, row: Row[Any]) -> LastReport[R]:
        return LastReport(row.node, row.at_ms, row.received_ms, self._decode(row.body))


HA: Final = LastReports(tables.ha_report, HaReport)
HOST: Final = LastReports(tables.host_report, HostReport)
CONFIG: Final = LastReports(tables.config_report, ConfigReport)
SOFTWARE: Final = LastReports(tables.software_report, SoftwareReport)
UPDATES: Final = LastReports(tables.update_report, JobReport)
