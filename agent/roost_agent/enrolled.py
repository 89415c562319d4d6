"""The identity that this node was given: one folder, read by the resident agent.

``<state_dir>/identity`` (0700) holds keys, certificates and ``identity.json``. It is written by
enrol/folder.py, in a child, and only whole: a complete fresh folder takes the place of the old one.
"""

from pathlib import Path
from typing import Final

import msgspec

from roost_agent.durable import sync_folder
from roost_agent.errors import ConfigError
from roost_protocol.enrol import Broker
from roost_protocol.hardware import Hardware
from roost_protocol.limits import REPORT_KEY_BYTES

STATE_DIR: Final = "/var/lib/roost"  # the usual one
FOLDER: Final = "identity"
FRESH: Final = "identity.new"  # being written; complete once it holds FACTS
OLD: Final = "identity.old"
ASIDE: Final = "other-box"  # what the box kept that this one's disk image was made of
FACTS: Final = "identity.json"
NODE_KEY: Final = "node.key"
NODE_CERTIFICATE: Final = "node.pem"  # with its chain
ROOT: Final = "root.pem"
REPORT_KEY: Final = "report.key"
LAN_KEY: Final = "lan.key"
LAN_CERTIFICATE: Final = "lan.pem"
LAN_CA: Final = "lan-ca.pem"  # every one that is live
BROKER_KEY: Final = "broker.key"
BROKER_CERTIFICATE: Final = "broker.pem"  # where the box may be a broker of its site
CONFIGURATION: Final = "configuration"  # the order that came with it, until it is taken up
FACTS_BYTES_MAX: Final = 64 << 10


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """``identity.json``: who this node is, and where it connects.

    Attributes:
        box: which box of its slot this is, +1 at each replacement.
        hw_fp: what the box said it is made of when it was let in.
        image_root: whence the root of trust for images came: ``package``, ``file``,
            ``from-centre`` or ``none``. It is never taken from the centre unasked.
    """

    fleet_domain: str
    site: str
    node: str
    generation: int
    box: int
    hw_fp: Hardware
    brokers: tuple[Broker, ...]
    enrolled_ms: int
    not_after_ms: int
    image_root: str
    centre: str


class Enrolled:
    """The identity and where its files are.

    Attributes:
        folder: absolute.
    """

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder = folder
        self.facts = facts

    @property
    def report_key(self) -> bytes:
        """The key that seals what this node says, 32 bytes.

        Raises:
            ConfigError: the file cannot be used.
        """
        file = self.folder / REPORT_KEY
        try:
            key = file.read_bytes()
        except OSError as err:
            raise ConfigError([f"{file}: {err.strerror}"]) from err
        if len(key) != REPORT_KEY_BYTES:
            raise ConfigError([f"{file}: {len(key)} bytes, bound {REPORT_KEY_BYTES}"])
        return key


def load(state_dir: Path) -> Enrolled | None:
    """Return this node's identity, None where it has none.

    Raises:
        ConfigError: it cannot be read.
    """
    settle(state_dir)
    folder = state_dir / FOLDER
    file = folder / FACTS
    try:
        with file.open("rb") as stream:
            raw = stream.read(FACTS_BYTES_MAX + 1)
        return Enrolled(folder, msgspec.json.decode(raw, type=Facts))
    except FileNotFoundError:
        return None
    except OSError as err:
        hint = "run as the user that owns it"
        raise ConfigError([f"{file}: {err.strerror}; {hint}"]) from err
    except (msgspec.MsgspecError, UnicodeDecodeError) as err:
        hint = "join again, or restore it"
        raise ConfigError([f"{file}: cannot be read: {err}; {hint}"]) from err


def settle(state_dir: Path) -> None:
    """Finish what a crash between two renames left behind: the complete fresh folder counts."""
    folder, fresh, old = state_dir / FOLDER, state_dir / FRESH, state_dir / OLD
    try:
        if folder.is_dir():
            return
        if (fresh / FACTS).is_file():
            fresh.rename(folder)
        elif old.is_dir():
            old.rename(folder)
        else:
            return
        sync_folder(state_dir)
    except OSError:
        return  # load() says what is wrong
