"""The NOC's broker: a Mosquitto process of its own, configured and supervised here.

Invariants: it listens on loopback, or with TLS by a certificate of the fleet's server CA; one
account, made anew at each start, writes ``noc/v1/#``; every other account reads one tree below it
and nothing else; no password is in an argument, a log or the environment, only in files of mode
0600. A process of its own keeps slow readers off the fleet's brokers, and accounts apart: one
Mosquitto shares its password file over all listeners.
"""

import asyncio
import base64
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from roost_central.brokers.files import write_private
from roost_central.brokers.mosquitto import Mosquitto, check_version, user_line
from roost_central.ca.own import OwnCertificate
from roost_central.errors import SignerError
from roost_central.northbound.config import NocBrokerConfig
from roost_central.northbound.noc_tree import COLLAPSED, ROOT, STATUS, TENANTS, tenant_root
from roost_central.ports import Clock, Entropy

logger = logging.getLogger(__name__)

WRITER: Final = "roost-feed"
SECRET_BYTES: Final = 24
SALT_BYTES: Final = 12
SIGNER_RETRY_S: Final = 5.0
PBKDF2_ROUNDS: Final = 101  # Mosquitto's own; the passwords are random and need no stretching

_CONFIG: Final = """\
# Written by roost-central at each start.
listener {port} {host}
{tls}allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence false
set_tcp_nodelay true
max_packet_size 65536
# A reader that is slow or away: so many messages wait for it, then the oldest are lost to it.
max_queued_messages 10000
max_queued_bytes 16777216
max_inflight_messages 100
max_connections 1000
log_dest stderr
log_type error
log_type warning
{user}"""
_TLS: Final = """\
certfile {cert}
keyfile {key}
tls_version tlsv1.2
"""


class NocBroker:
    """The process and its files.

    Args:
        certificate: of its listener, where that has TLS.
    """

    def __init__(
        self,
        config: NocBrokerConfig,
        folder: Path,
        clock: Clock,
        entropy: Entropy,
        certificate: OwnCertificate | None = None,
    ) -> None:
        self.config = config
        self._certificate = certificate
        self.password = entropy.token(SECRET_BYTES).hex()
        self._folder = folder
        self._entropy = entropy
        self._process = Mosquitto("the NOC's broker", folder / "mosquitto.conf", clock, entropy)

    def prepare(self) -> None:
        """Write what Mosquitto reads, and a secret for each reader that has none.

        Raises:
            ConfigError: ``mosquitto`` is not installed, or too old.
            OSError: the folder cannot be written.
        """
        check_version("northbound.mqtt")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passwords = {WRITER: self.password}
        for reader in self.config.accounts:
            passwords[reader] = self._reader_secret(self._folder / f"{reader}.secret")
        own = self._certificate
        text = _CONFIG.format(
            port=self.config.port,
            host=self.config.host,
            folder=self._folder,
            user=user_line(),
            tls="" if own is None else _TLS.format(cert=own.cert, key=own.key),
        )
        write_private(self._folder / "mosquitto.conf", text)
        write_private(self._folder / "acl", acl(self.config))
        write_private(self._folder / "passwords", password_file(passwords, self._entropy))

    async def run(self) -> None:
        """Keep the broker running until cancelled; with TLS once the signer gave a certificate.

        Raises:
            ConfigError, OSError: see ``prepare``.
        """
        await asyncio.to_thread(self.prepare)
        if self._certificate is None:
            await self._process.run()
            return
        await self._certified(self._certificate)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._process.run(), name="northbound.broker.process")
            tasks.create_task(
                self._certificate.run(self._renewed), name="northbound.broker.certificate"
            )

    async def _certified(self, certificate: OwnCertificate) -> None:
        """Wait for the first certificate, as long as it takes: nothing listens without one."""
        is_told = False
        while True:
            try:
                await certificate.ensure()
            except SignerError as err:
                if not is_told:
                    logger.warning("the NOC's broker cannot start yet: %s", err)
                is_told = True
                await asyncio.sleep(SIGNER_RETRY_S)
            else:
                return

    async def _renewed(self) -> None:
        self._process.reload()

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid

    def _reader_secret(self, path: Path) -> str:
        if not path.exists():
            write_private(path, self._entropy.token(SECRET_BYTES).hex() + "\n")
            logger.info("made an account that reads the NOC's broker; its password is in %s", path)
        return path.read_text(encoding="ascii").strip()


def acl(config: NocBrokerConfig) -> str:
    """Return the rules: one writes, each of the others reads one tree, and nobody anything else.

    Whether the feed itself lives is for all. The whole tree's readers are denied the others, which
    repeat it: ``noc/v1/#`` reads well.
    """
    lines = [f"user {WRITER}", f"topic readwrite {ROOT}/#"]
    for reader in config.readers:
        denied = [f"topic deny {root}/#" for root in (COLLAPSED, TENANTS)]
        lines += ["", f"user {reader}", *denied, f"topic read {ROOT}/#"]
    trees = [(reader, COLLAPSED) for reader in config.collapsed_readers]
    trees += [
        (reader, tenant_root(tenant.name)) for tenant in config.tenants for reader in tenant.readers
    ]
    for reader, root in trees:
        lines += ["", f"user {reader}", f"topic read {STATUS}", f"topic read {root}/#"]
    return "\n".join(lines) + "\n"


def password_file(passwords: Mapping[str, str], entropy: Entropy) -> str:
    """Return Mosquitto's password file: PBKDF2-HMAC-SHA512, form ``$7$``."""
    lines = []
    for user, secret in passwords.items():
        salt = entropy.token(SALT_BYTES)
        digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, PBKDF2_ROUNDS)
        parts = (base64.b64encode(each).decode() for each in (salt, digest))
        lines.append(f"{user}:$7${PBKDF2_ROUNDS}${'$'.join(parts)}")
    return "\n".join(lines) + "\n"
