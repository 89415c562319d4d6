"""Keeps a key and a certificate of the centre's own fresh, as files for us and for brokers.

``<folder>/key.pem``, ``cert.pem`` (its issuer behind it) and ``root.pem`` always belong together:
``<folder>`` is a link that is turned to new files in one step. Each renewal makes a new key. What
the signer gave is read back by the rules of verify.py first: a certificate that nodes would refuse
must not take the place of one that they believe.

Leaves to others: telling those who hold the old files.
"""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from roost_central.access.chain import Act
from roost_central.access.signatures import KEYS
from roost_central.ca.profiles import ISSUED_BY, Authority
from roost_central.ca.request import spki_of
from roost_central.ca.verify import Verifier
from roost_central.errors import SignerError, StorageError
from roost_central.ports import Clock
from roost_central.private_file import sync_folder, write_new
from roost_central.signer.client import Signer
from roost_central.signer.message import Facts, Issued
from roost_central.storage import audit
from roost_central.storage.engine import Database
from roost_protocol.certificate import Holder, Kind
from roost_protocol.errors import ProtocolError

logger = logging.getLogger(__name__)

LOOK_S: Final = 600.0  # how often a running centre looks whether half of a life is over
KEPT: Final = 2  # sets of files: a broker may still read those of before


class OwnCertificate:
    """The files of one server or client of the centre.

    Args:
        folder: where they are to be; its parent holds the sets of files.
        holder: of the kind server or service.
        signer: who issues.
        clock: of this machine.
        database: its audit log says what the signer is about to be asked for.
    """

    def __init__(
        self, folder: Path, holder: Holder, signer: Signer, clock: Clock, database: Database
    ) -> None:
        self.cert = folder / "cert.pem"
        self.key = folder / "key.pem"
        self.root = folder / "root.pem"
        self._folder = folder
        self._holder = holder
        self._signer = signer
        self._clock = clock
        self._database = database

    async def ensure(self) -> bool:
        """Have files that are good; return whether they are new ones.

        Raises:
            SignerError: there are none, and the signer gives none.
            StorageError: the audit log cannot be written.
            OSError: they cannot be written.
        """
        is_fresh, is_valid = await asyncio.to_thread(self._standing)
        try:
            facts = await self._signer.info()
            if is_fresh and await asyncio.to_thread(self.root.read_text) == facts.root_pem:
                return False
            await self._renew(facts)
        except SignerError as err:
            if not is_valid:
                raise
            if not is_fresh:
                logger.warning("%s: not renewed, it goes on till it ends: %s", self._folder, err)
            return False
        logger.info("%s: a new certificate of %s", self._folder, self._holder.name)
        return True

    async def run(self, renewed: Callable[[], Awaitable[None]]) -> None:
        """Renew at half life for as long as it runs, and say so each time."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if await self.ensure():
                    await renewed()
            except (SignerError, StorageError, OSError) as err:
                logger.error("%s: no valid certificate: %s", self._folder, err)  # noqa: TRY400

    async def _renew(self, facts: Facts) -> None:
        key = generate_private_key(SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        csr_pem = request.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
        await self._note(sha256(spki_of(key.public_key())).hexdigest())
        if self._holder.kind is Kind.SERVER:
            issued = await self._signer.issue_server(csr_pem, name=self._holder.name)
        else:
            issued = await self._signer.issue_service(csr_pem, name=self._holder.name)
        self._check(issued, key.public_key(), facts)
        key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        await asyncio.to_thread(self._keep, key_pem, issued, facts.root_pem)

    def _check(self, issued: Issued, key: EllipticCurvePublicKey, facts: Facts) -> None:
        """Refuse a certificate that is not the one that was asked for.

        Raises:
            SignerError: ``certificate``.
        """
        authority = ISSUED_BY[self._holder.kind]
        pems = facts.server_ca_pem if authority is Authority.SERVER else facts.node_ca_pem
        now = datetime.fromtimestamp(self._clock.wall_ms() / 1_000, UTC)
        try:
            issuers = [x509.load_pem_x509_certificate(each.encode()) for each in pems]
            certificate = x509.load_pem_x509_certificate(issued.certificate_pem.encode())
            verifier = Verifier(facts.domain, {authority: issuers})
            peer = verifier.peer(certificate.public_bytes(Encoding.DER), self._holder.kind, now)
        except (ProtocolError, ValueError) as err:
            raise SignerError("certificate", f"what it gave nobody would believe: {err}") from err
        if peer.holder != self._holder or certificate.public_key() != key:
            raise SignerError("certificate", f"it gave one of {peer.holder.name}, or another key")

    async def _note(self, key: str) -> None:
        detail = {"kind": str(self._holder.kind), KEYS: [key]}
        now_ms = self._clock.wall_ms()
        act = Act(now_ms, audit.CENTRE, "", "certificate.ask", self._holder.name, detail)
        async with self._database.write() as connection:
            await audit.add(connection, act)

    def _standing(self) -> tuple[bool, bool]:
        """Return whether the files are fresh, and whether they are valid."""
        try:
            certificate = x509.load_pem_x509_certificate(self.cert.read_bytes())
            is_whole = self.key.exists() and self.root.exists()
        except (OSError, ValueError):
            return False, False
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        now = datetime.fromtimestamp(self._clock.wall_ms() / 1_000, UTC)
        return is_whole and now < begins + (ends - begins) / 2, is_whole and now < ends

    def _keep(self, key_pem: bytes, issued: Issued, root_pem: str) -> None:
        parent, name = self._folder.parent, self._folder.name
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = parent / f".{name}.{self._clock.wall_ms():015d}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        write_new(fresh / self.key.name, key_pem)
        write_new(fresh / self.cert.name, (issued.certificate_pem + issued.chain_pem).encode())
        write_new(fresh / self.root.name, root_pem.encode())
        sync_folder(fresh)
        link = parent / f".{name}.link"
        link.unlink(missing_ok=True)
        link.symlink_to(fresh.name)
        link.replace(self._folder)
        sync_folder(parent)
        for old in sorted(parent.glob(f".{name}.[0-9]*"))[:-KEPT]:
            shutil.rmtree(old)
