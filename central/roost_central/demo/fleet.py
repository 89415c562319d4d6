"""The fleet of the demo's real site: its keys and releases, its signer, its brokers with mTLS.

As any centre has them, except for the root's passphrase: it is drawn, and nobody is told it, so
these keys end with the demo's folder. Simulated nodes are no part of it: they have no identity.
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from roost_central.demo import releases
from roost_central.demo.brokers import free_port
from roost_central.demo.children import Command
from roost_central.demo.releases import Releases
from roost_central.ports import SystemClock, SystemEntropy

DOMAIN: Final = "demo.example"
BROKERS: Final = ("wan1", "wan2")  # the paths of its nodes are called so
CONNECTIONS_MAX: Final = 64
PASSPHRASE_BYTES: Final = 32
READY_S: Final = 20.0
POLL_S: Final = 0.05
HOST: Final = "127.0.0.1"


class Ports(msgspec.Struct, frozen=True):
    """Where it listens; identities name the brokers' ports, so a kept folder keeps them."""

    enrol: int
    brokers: dict[str, int]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What one demo's fleet works with.

    Attributes:
        folder: the demo's.
        releases: that its nodes may install.
    """

    folder: Path
    ports: Ports
    releases: Releases

    @property
    def url(self) -> str:
        """Where boxes ask to be let in."""
        return f"https://{HOST}:{self.ports.enrol}"

    @property
    def socket(self) -> Path:
        """The signer's."""
        return self.folder / "signer.sock"

    def signer(self) -> Command:
        """Return the signer's command."""
        words = ("--dir", str(self.folder / "keys/signer"), "--socket", str(self.socket))
        return Command("signer", (sys.executable, "-m", "roost_central", "signer", *words))

    def centre(self) -> list[str]:
        """Return what the centre's configuration says of the fleet, each list item a table."""
        lines = [*self._domain(), f'[enrol]\nport = {self.ports.enrol}\npublic_url = "{self.url}"']
        for table in ("enrol.broker", "broker"):
            lines += [
                f'[[{table}]]\nname = "{name}"\nurl = "mqtts://{HOST}:{port}"'
                for name, port in self.ports.brokers.items()
            ]
        return lines

    def brokers(self, database: str) -> list[Command]:
        """Write the brokers' configurations and return their commands.

        Args:
            database: the URL of the centre's: they follow in it what is revoked.
        """
        return [self._broker(name, port, database) for name, port in self.ports.brokers.items()]

    async def until_signed(self) -> bool:
        """Whether the signer answers in time."""
        return await _answers(self.socket)

    def _broker(self, name: str, port: int, database: str) -> Command:
        lines = [
            f'data_dir = "{self.folder / name}"',
            f"database = {msgspec.json.encode(database).decode()}",  # a TOML string is written so
            *self._domain(),
            f'[fleet_broker]\nname = "{name}"\nhost = "{HOST}"\nport = {port}',
            f"connections_max = {CONNECTIONS_MAX}",
        ]
        file = self.folder / f"{name}-broker.toml"
        file.write_text("\n".join(lines) + "\n")
        words = ("-m", "roost_central", "broker", "--config", str(file))
        return Command(name, (sys.executable, *words))

    def _domain(self) -> list[str]:
        return [f'[fleet]\ndomain = "{DOMAIN}"', f'[signer]\nsocket = "{self.socket}"']


def made(folder: Path) -> Fleet:
    """Return the fleet of a demo's folder; its keys are made where there are none."""
    from roost_central.ca import ceremony  # noqa: PLC0415 - slow to import
    from roost_central.signer.core import Policy  # noqa: PLC0415 - as above

    entropy, file = SystemEntropy(), folder / "fleet.json"
    if not (folder / "keys" / ceremony.SIGNER).exists():
        passphrase = entropy.token(PASSPHRASE_BYTES).hex().encode()
        now = datetime.fromtimestamp(SystemClock().wall_ms() / 1000, UTC)
        moment = ceremony.Moment(now, entropy)
        # Nobody has to approve a rollout: this fleet is a lab, and ends with the demo.
        policy = Policy(DOMAIN, users=(), release_approvals=0)
        ceremony.init(folder / "keys", policy, passphrase, moment)
    # The centre's database is in it, and a broker may be there first.
    (folder / "central").mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        ports = Ports(free_port(HOST), {name: free_port(HOST) for name in BROKERS})
        file.write_bytes(msgspec.json.encode(ports))
    signed = releases.made(folder / "releases", folder / "keys" / ceremony.SIGNER)
    return Fleet(folder, msgspec.json.decode(file.read_bytes(), type=Ports), signed)


async def _answers(socket: Path) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_unix_connection(str(socket))
                    writer.close()
                    return True
                await asyncio.sleep(POLL_S)
    return False
