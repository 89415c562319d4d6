"""What was learned of controllers and done to machines, on the node's disk; never a secret.

A file that makes no sense is as good as none: everything is learned again.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.bmc.talk import Known
from roost_agent.durable import replace_file

FILE: Final = "bmc.json"  # in the state directory
BYTES_MAX: Final = 4 << 20

log = logging.getLogger(__name__)


class Kept(msgspec.Struct, frozen=True):
    """The file.

    Attributes:
        known: what was learned, by node.
        acts: when machines were acted on by what sensors said, UTC ms by node.
    """

    known: dict[str, Known] = {}
    acts: dict[str, list[int]] = {}


def read(folder: Path) -> Kept:
    """Return what is kept; nothing where there is no file."""
    try:
        with (folder / FILE).open("rb") as stream:
            return msgspec.json.decode(stream.read(BYTES_MAX), type=Kept)
    except FileNotFoundError:
        return Kept()
    except (OSError, msgspec.DecodeError) as err:
        log.warning("bmc: what was learned is not readable, and learned again: %s", err)
        return Kept()


def write(folder: Path, known: Mapping[str, Known], acts: Mapping[str, Sequence[int]]) -> None:
    """Keep it; OSError where the disk refuses."""
    said = Kept(dict(known), {node: list(each) for node, each in acts.items()})
    replace_file(folder / FILE, msgspec.json.encode(said))
