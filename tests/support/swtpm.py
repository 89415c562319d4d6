"""A TPM in software for a test, and the maker that vouches for it; each in a folder of its own."""

import shutil
import struct
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from maker import Maker
from program import Program
from waiting import wait_until

from roost_agent.enrol.tpm.command import EMPTY_PASSWORD, Commands, Verb
from roost_agent.enrol.tpm.link import TpmError, connect
from roost_agent.enrol.tpm.template import ENDORSEMENTS, P256_INDEX, RSA_INDEX, key_of
from roost_protocol.tpm import sized

PROGRAM = shutil.which("swtpm")
OWNER = 0x40000001
ECC, RSA = P256_INDEX, RSA_INDEX
TEMPLATES = dict(ENDORSEMENTS)
ENDORSES = x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.23.133.8.1")])
AGREES = x509.KeyUsage(False, False, False, False, True, False, False, False, False)
DECIPHERS = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
# TPMA_NV: ownerwrite, authwrite, ownerread, authread, no_da
INDEX_ATTRIBUTES = 1 << 1 | 1 << 2 | 1 << 17 | 1 << 18 | 1 << 25
PART = 512


def needs_swtpm():
    if PROGRAM is None:
        pytest.skip("swtpm is not installed")


class Swtpm(Program):
    """One emulated TPM; its state is in its folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / "swtpm.log")
        self.folder = folder
        self.socket = folder / "tpm"

    def start(self) -> "Swtpm":
        """Run; returns once it takes commands."""
        self._launch(
            PROGRAM, "socket", "--tpm2", "--tpmstate", f"dir={self.folder}",
            "--server", f"type=unixio,path={self.socket}",
            "--ctrl", f"type=unixio,path={self.socket}.ctrl",
            "--flags", "not-need-init,startup-clear",
        )  # fmt: skip
        wait_until(self._takes_commands, f"swtpm: {self.log}")
        return self

    def _takes_commands(self) -> bool:
        try:
            connect(str(self.socket)).close()
        except TpmError:
            return False
        return True

    def endorsement_key(self, index: int = ECC):
        """Return the public endorsement key of a template."""
        with self.commands() as commands:
            made = commands.create_primary(TEMPLATES[index])
            commands.flush(made.handle)
        return key_of(made.area)

    def keep(self, index: int, content: bytes) -> None:
        """Write a certificate where a maker leaves it."""
        public = struct.pack(">IHIHH", index, 0x000B, INDEX_ATTRIBUTES, 0, len(content))
        with self.commands() as commands:
            define, write = Verb("NV_DefineSpace", 0x12A), Verb("NV_Write", 0x137)
            auth = (EMPTY_PASSWORD,)
            commands.ask(define, (OWNER,), sized(b"") + sized(public), auth)
            for at in range(0, len(content), PART):
                part = sized(content[at : at + PART]) + struct.pack(">H", at)
                commands.ask(write, (index, index), part, auth)

    @contextmanager
    def commands(self):
        """Speak to it."""
        link = connect(str(self.socket))
        try:
            yield Commands(link)
        finally:
            link.close()


def endorsement(maker: Maker, key, *, extensions=None, ends=None) -> x509.Certificate:
    """Return a maker's certificate for an endorsement key: no subject, its names are elsewhere."""
    names = x509.Name([x509.NameAttribute(x509.ObjectIdentifier("2.23.133.2.1"), "id:00001014")])
    usual = [
        (x509.SubjectAlternativeName([x509.DirectoryName(names)]), True),
        (AGREES if hasattr(key, "curve") else DECIPHERS, True),
        (ENDORSES, False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
    ]
    builder = maker._builder(x509.Name([]), key, maker, ends or datetime(9999, 12, 31, tzinfo=UTC))
    for extension, is_critical in usual if extensions is None else extensions:
        builder = builder.add_extension(extension, critical=is_critical)
    return builder.sign(maker.key, SHA256())


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


@contextmanager
def endorsed(folder: Path, maker: Maker, index: int = ECC, *, filler: bytes = b""):
    """Run a TPM that a maker vouches for."""
    tpm = Swtpm(folder).start()
    try:
        certificate = endorsement(maker, tpm.endorsement_key(index))
        tpm.keep(index, der(certificate) + filler)
        yield tpm
    finally:
        tpm.kill()
