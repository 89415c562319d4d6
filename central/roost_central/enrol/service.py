"""Enrolment, composed: the desk for boxes, queue and claims for people, registry for ingest.

The centre runs without its signer: until the signer answers, boxes find the listener closed and
people are told so. Nothing else waits for it.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar

from cryptography import x509

from roost_central.alarms.book import AlarmBook
from roost_central.ca.own import OwnCertificate
from roost_central.enrol.claim_desk import ClaimDesk
from roost_central.enrol.config import EnrolConfig
from roost_central.enrol.config_rules import Maker
from roost_central.enrol.desk import Desk, nonce_key
from roost_central.enrol.factory import Makers
from roost_central.enrol.fleet import ask_fleet
from roost_central.enrol.gate import Gate
from roost_central.enrol.issue import Configuration, Issuer, no_settings
from roost_central.enrol.quarantine import QuarantineSign
from roost_central.enrol.queue import Queue
from roost_central.enrol.registry import IdentityRegistry
from roost_central.enrol.release import Release
from roost_central.enrol.revoked_boxes import RevokedBoxes
from roost_central.enrol.sweep import Sweep
from roost_central.enrol.tpm.endorsement import TpmMakers
from roost_central.errors import SignerError
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock, Entropy
from roost_central.signer.client import Signer
from roost_central.storage.engine import Database
from roost_protocol.certificate import Holder, Kind

logger = logging.getLogger(__name__)

SIGNER_RETRY_S: Final = 5.0
FOLLOW_S: Final = 60.0
NAME: Final = "enrol"  # of the listener's certificate

T = TypeVar("T")


class Listen(Protocol):
    """Serves boxes."""

    def __call__(
        self, host: str, port: int, *, tls: ssl.SSLContext
    ) -> AbstractAsyncContextManager[int]:
        """Serve while it is entered; gives the port."""


class Enrolment:
    """Everything of enrolment in this process.

    Attributes:
        configuration: makes the order by which a new box is told its settings; set before ``run``.
        desk: None until the signer has answered.
        port: where boxes come to; None while nothing listens.
    """

    def __init__(  # noqa: PLR0913 - the parts it stands on
        self,
        config: EnrolConfig,
        database: Database,
        view: FleetView,
        clock: Clock,
        entropy: Entropy,
        *,
        book: AlarmBook,
        signer: Signer,
        ingest_key: bytes,
        tls_folder: Path,
    ) -> None:
        self.config = config
        self.queue = Queue(database, view, clock, config.rules)
        self.claims = ClaimDesk(database, view, clock, entropy)
        self.registry = IdentityRegistry(database, clock, QuarantineSign(view, book))
        self.gate = Gate()
        self.configuration: Configuration = no_settings
        self.desk: Desk | None = None
        self.port: int | None = None
        self._book = book
        self._database = database
        self._view = view
        self._clock = clock
        self._entropy = entropy
        self._signer = signer
        self._ingest_key = ingest_key
        holder = Holder(Kind.SERVER, NAME)
        self._own = OwnCertificate(tls_folder / NAME, holder, signer, clock, database)
        self._sweep = Sweep(database, clock)
        self._release = Release(database, view, book, clock)

    async def run(self, listen: Listen) -> None:
        """Serve boxes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.registry.run(), name="central.enrol.registry")
            tasks.create_task(self._sweep.run(), name="central.enrol.sweep")
            tasks.create_task(self._release.run(), name="central.enrol.release")
            await self._until(self._own.ensure)
            self.desk = await self._until(self._open_desk)
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._load(context)
            async with listen(self.config.host, self.config.port, tls=context) as port:
                self.port = port
                logger.info("boxes are let in at %s:%d", self.config.host, port)

                async def renewed() -> None:
                    self._load(context)

                tasks.create_task(self._follow_signer(), name="central.enrol.fleet")
                await self._own.run(renewed)

    async def _follow_signer(self) -> None:
        """Hand out the keys that the signer has now: they are rotated while we run."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            with suppress(SignerError):  # the watch tells of it (ca/watch.py)
                fleet = await ask_fleet(self._signer, self.config.brokers, self._ingest_key)
                if self.desk is not None:
                    self.desk.follow(fleet)

    async def _open_desk(self) -> Desk:
        fleet = await ask_fleet(self._signer, self.config.brokers, self._ingest_key)
        async with self._database.write() as connection:
            key = await nonce_key(connection, self._entropy)
        return Desk(
            self._database,
            self._view,
            self._clock,
            self._entropy,
            fleet=fleet,
            issuer=Issuer(
                self._database,
                self._signer,
                self._clock,
                fleet,
                configuration=self.configuration,
            ),
            nonce_key=key,
            makers=Makers(_by_name(self.config.makers), _revoked(self.config.makers)),
            tpm_makers=TpmMakers(
                _by_name(self.config.tpm_makers), _revoked(self.config.tpm_makers)
            ),
            rules=self.config.rules,
            book=self._book,
        )

    async def _until(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the signer until it answers."""
        is_told = False
        while True:
            try:
                return await ask()
            except SignerError as err:
                if not is_told:
                    logger.warning("nobody is let in yet: %s", err)
                    is_told = True
                await asyncio.sleep(SIGNER_RETRY_S)

    def _load(self, context: ssl.SSLContext) -> None:
        """Take the present certificate for new connections; ask for a node's, take none too."""
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._own.cert, self._own.key)
        context.load_verify_locations(self._own.root)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.num_tickets = 0  # of sessions that nobody resumes


def _by_name(makers: Iterable[Maker]) -> Iterable[tuple[str, Sequence[x509.Certificate]]]:
    return ((each.name, each.authorities) for each in makers)


def _revoked(makers: Iterable[Maker]) -> dict[str, RevokedBoxes]:
    return {each.name: each.revoked for each in makers if each.revoked is not None}
