"""Compares the signer's record with the audit log once a day; what is not explained is an alarm.

It remembers how far it came and what it found unexplained; both are looked at again each time, so
that a record which was cut or written anew is found too. The first comparison of a centre begins
where the record ends then. access/signatures.py judges.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.access.signatures import SignatureCheck, told
from roost_central.alarms.book import AlarmBook
from roost_central.errors import SignerError, StorageError
from roost_central.ports import Clock
from roost_central.signer.client import Signer
from roost_central.signer.message import PLACE
from roost_central.signer.row import BrokenRecordError, Place, Row
from roost_central.storage import audit, settings
from roost_central.storage.engine import Database
from roost_protocol.severity import Severity

logger = logging.getLogger(__name__)

DAY_S: Final = 86_400.0
RETRY_S: Final = 60.0  # of a signer that does not answer
KEPT_MAX: Final = 1_000  # unexplained rows; more say no more
STATE: Final = "signatures_compared"
TYPE: Final = "210.807"
ENTITY: Final = "central=roost,signer=record"


class Compared(Struct, frozen=True):
    """How far the record was compared.

    Attributes:
        begin: the row after which the first comparison began, and its hash.
        n, head: the last row that was compared, and its hash.
        missing: rows that nothing explains.
        fault: why it could not be gone along; empty: it could.
    """

    begin: tuple[int, str]
    n: int
    head: str
    missing: tuple[Row, ...] = ()
    fault: str = ""


class Comparison:
    """One signer's record, and one audit log."""

    def __init__(self, signer: Signer, database: Database, book: AlarmBook, clock: Clock) -> None:
        self._signer = signer
        self._database = database
        self._book = book
        self._clock = clock

    async def run(self) -> None:
        """Compare at the start and every day, until cancelled."""
        try:
            while True:
                wait_s = DAY_S
                try:
                    await self.compare()
                except (SignerError, StorageError) as err:
                    logger.info("the signer's record is not compared yet: %s", err)
                    wait_s = RETRY_S
                await asyncio.sleep(wait_s)
        finally:
            await self._signer.close()

    async def compare(self) -> Compared:
        """Compare once, keep what came of it, and have the alarm be that.

        Raises:
            SignerError: it does not answer.
            StorageError: of the database.
        """
        async with self._database.read() as connection:
            before = await compared(connection)
        found = await self._begun() if before is None else await self._gone_on(before)
        async with self._database.write() as connection:
            await settings.save(connection, STATE, msgspec.json.encode(found))
            if before is None:
                detail = {"row": found.n, "hash": found.head}
                act = Act(
                    self._clock.wall_ms(), audit.CENTRE, "", "signatures.begin", "record", detail
                )
                await audit.add(connection, act)
        self._tell(found)
        return found

    async def accept(self, act: Act) -> Compared:
        """Take what the comparison shows as looked at, by an act that names it; compare again.

        Raises:
            SignerError: it does not answer.
            StorageError: of the database.
        """
        facts = await self._signer.info()
        async with self._database.write() as connection:
            before = await compared(connection)
            if before is not None and before.fault:  # no chain leads here: one begins here
                end = (facts.signatures, facts.log_head)
                before = Compared(end, *end)
                await settings.save(connection, STATE, msgspec.json.encode(before))
            await audit.add(connection, act)
        return await self.compare()

    async def lines(self, at: Place, limit: int) -> list[str]:
        """Return lines of the record past a row, oldest first.

        Raises:
            SignerError: it does not answer.
        """
        return (await self._signer.rows(at.n, limit, head=at.head)).lines

    async def _begun(self) -> Compared:
        facts = await self._signer.info()
        return Compared((facts.signatures, facts.log_head), facts.signatures, facts.log_head)

    async def _gone_on(self, before: Compared) -> Compared:
        check = SignatureCheck(Place(before.n, before.head))
        for row in before.missing:
            check.want(row)
        fault = await self._seen(check)
        async for act in self._acts(check):
            check.hear(act)
        missing = tuple(check.missing[:KEPT_MAX])
        return Compared(before.begin, check.at.n, check.at.head, missing, fault)

    async def _seen(self, check: SignatureCheck) -> str:
        """Go along the record to its end; return why it cannot be gone along, or nothing.

        A record that was put aside is gone along first, and then the one that was begun behind it.
        """
        try:
            while lines := (await self._signer.rows(check.at.n, head=check.at.head)).lines:
                for line in lines:
                    check.see(line)
        except SignerError as err:
            if err.code != PLACE:
                raise
            lost = f"row {check.at.n} is not the row that was compared before"
            return f"{lost}: the record was cut, or begun anew"
        except BrokenRecordError as err:
            return f"the signer's record behind row {check.at.n}: {err}"
        return ""

    async def _acts(self, check: SignatureCheck) -> AsyncIterator[Act]:
        seq, more = 0, bool(check.missing)
        while more:
            async with self._database.read() as connection:
                rows = await audit.after(connection, seq, audit.PAGE_MAX)
            for row in rows:
                yield row.act
            more = len(rows) == audit.PAGE_MAX and bool(check.missing)
            seq = rows[-1].seq if rows else seq

    def _tell(self, found: Compared) -> None:
        is_open = any(row.type == TYPE for row in self._book.open_alarms())
        if not found.missing and not found.fault:
            logger.info("%d signatures are compared with the audit log", found.n)
            if is_open:
                self._book.clear_own(TYPE, ENTITY)
            return
        reason = found.fault or f"{len(found.missing)} without a row in the audit log, the first: "
        if found.missing and not found.fault:
            reason += told(found.missing[0])
        logger.error("the signer's record does not agree with the audit log: %s", reason)
        self._book.raise_own(TYPE, ENTITY, Severity.CRITICAL, {"reason": reason})


async def compared(connection: AsyncConnection) -> Compared | None:
    """Return how far the record was compared, None before the first time."""
    raw = await settings.read(connection, STATE)
    return None if raw is None else msgspec.json.decode(raw, type=Compared)
