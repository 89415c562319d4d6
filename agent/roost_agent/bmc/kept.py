"""What was learned of controllers, on the node's disk: never a secret, so that a look may read it.

A file that makes no sense is as good as none: everything is learned again. Then a certificate that
was replaced meanwhile would be taken, so the file is the agent's own.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.bmc.talk import Known
from roost_agent.durable import replace_file

FILE: Final = "bmc.json"  # in the state directory
BYTES_MAX: Final = 4 << 20

log = logging.getLogger(__name__)


def read(folder: Path) -> dict[str, Known]:
    """Return what is known, by node; nothing where there is no file."""
    try:
        with (folder / FILE).open("rb") as stream:
            return msgspec.json.decode(stream.read(BYTES_MAX), type=dict[str, Known])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as err:
        log.warning("bmc: what was learned is not readable, and learned again: %s", err)
        return {}


def write(folder: Path, known: Mapping[str, Known]) -> None:
    """Keep what is known; OSError where the disk refuses."""
    replace_file(folder / FILE, msgspec.json.encode(known))
