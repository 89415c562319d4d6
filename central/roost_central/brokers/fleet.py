"""The fleet's broker: a Mosquitto with mTLS, and a follower of what is revoked.

It is a process of its own (``roost-central broker``), so that a restart of the centre costs no node
its connection. Invariants: it does not start without a certificate of its own; what is revoked in
the database is denied FOLLOW_S later, the signer's answer or not, and shut out with the signer's.
"""

import asyncio
import logging
from pathlib import Path
from typing import Final

from roost_central.brokers.config import FleetBrokerConfig
from roost_central.brokers.files import write_private
from roost_central.brokers.fleet_files import BrokerFiles, configuration, rules
from roost_central.brokers.mosquitto import Mosquitto, user_line
from roost_central.brokers.revoked import standing
from roost_central.ca.own import OwnCertificate
from roost_central.errors import SignerError, StorageError
from roost_central.ports import Clock, Entropy
from roost_central.signer.client import Signer
from roost_central.storage import identities
from roost_central.storage.engine import Database

logger = logging.getLogger(__name__)

FOLLOW_S: Final = 1.0  # how often it looks what was revoked; all of it is to be done within 10 s
RETRY_S: Final = 5.0  # of the signer, at the start
ISSUERS_S: Final = 60.0  # how soon a new issuing CA is known here; it is made days before it signs
FOLDER: Final = "broker"  # of the data directory


class FleetBroker:
    """The broker and its files.

    Args:
        folder: its own, of mode 0700.
        certificate: the broker's.
        signer: gives the lists of revoked certificates.
    """

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        config: FleetBrokerConfig,
        folder: Path,
        *,
        certificate: OwnCertificate,
        signer: Signer,
        database: Database,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._config = config
        self._certificate = certificate
        self._signer = signer
        self._database = database
        self._conf = folder / "mosquitto.conf"
        self._files = BrokerFiles(
            root=certificate.root,
            cert=certificate.cert,
            key=certificate.key,
            crl=folder / "crl.pem",
            acl=folder / "acl",
        )
        name = f"the fleet's broker, on port {config.port}"
        self._process = Mosquitto(name, self._conf, clock, entropy)
        self._revision = -1  # of the identities whose standing the rules have
        self._listed: frozenset[str] | None = None  # serials in the list of revoked certificates
        self._issuers: list[str] = []  # whose lists those are

    async def run(self) -> None:
        """Run it until cancelled."""
        await self._prepare()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._process.run(), name="broker.process")
            tasks.create_task(self._certificate.run(self._renewed), name="broker.certificate")
            tasks.create_task(self._follow(), name="broker.revoked")
            tasks.create_task(self._follow_issuers(), name="broker.issuers")

    async def _prepare(self) -> None:
        """Write all that Mosquitto reads; wait for the signer as long as it takes."""
        folder = self._conf.parent
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        while True:
            try:
                await self._certificate.ensure()
                await self._apply()
            except (SignerError, StorageError) as err:
                logger.warning("the fleet's broker cannot start yet: %s", err)
                if self._files.crl.exists() and self._files.cert.exists():
                    break  # as it was before; the follower goes on trying
                await asyncio.sleep(RETRY_S)
            else:
                break
        text = configuration(
            self._files,
            host=self._config.host,
            port=self._config.port,
            connections_max=self._config.connections_max,
            user=user_line(),
        )
        await asyncio.to_thread(write_private, self._conf, text)

    async def _follow(self) -> None:
        """Deny and shut out whom the database has no longer."""
        is_failing = False
        while True:
            await asyncio.sleep(FOLLOW_S)
            try:
                await self._apply()
                is_failing = False
            except (SignerError, StorageError, OSError) as err:
                if not is_failing:
                    logger.error("what is revoked could not be put into effect: %s", err)  # noqa: TRY400 - an answer
                is_failing = True

    async def _follow_issuers(self) -> None:
        """Ask for the lists anew once there is another issuer: its holders need one to come in."""
        while True:
            await asyncio.sleep(ISSUERS_S)
            try:
                facts = await self._signer.info()
            except SignerError as err:
                logger.debug("issuers: %s", err)  # the certificate's task says it aloud
                continue
            issuers = [*facts.node_ca_pem, *facts.server_ca_pem]
            if self._issuers and issuers != self._issuers:
                self._listed = None  # the follower's next turn writes them
            self._issuers = issuers

    async def _apply(self) -> None:
        """Bring rules and list to what the identities say; at once where nothing has changed."""
        async with self._database.read() as connection:
            revision = await identities.last_revision(connection)
            if revision == self._revision and self._listed is not None:
                return
            ended, boxes = await identities.ended(connection), await identities.boxes(connection)
        now = standing(ended, boxes)
        if await asyncio.to_thread(write_private, self._files.acl, rules(now.denied)):
            self._process.reload()  # before the signer is asked: a live session is mute from here
            logger.info("%d nodes are denied", len(now.denied))
        self._revision = revision
        known = self._listed or frozenset()
        fresh = {serial: at_s for serial, at_s in now.revoked.items() if serial not in known}
        if fresh or self._listed is None:
            self._listed = None  # until it is written: a failure is tried again
            lists = await self._signer.crl("node", fresh)
            if await asyncio.to_thread(write_private, self._files.crl, lists.crl_pem):
                self._process.reload()
                logger.info("%d certificates are revoked", lists.revoked)
            self._listed = known | fresh.keys()

    async def _renewed(self) -> None:
        self._listed = None  # a new issuer needs a list of its own
        await self._apply()
        self._process.reload()
