"""What the witness of each site keeps, in a folder of its own: one small file a site.

Files and not the database: that is restored from backups, and a voter that comes back as of before
what it promised is worse than one that knows nothing. So no backup should have this folder.
"""

import logging
from pathlib import Path

from roost_central.private_file import write_whole
from roost_central.witness.events import Kept, load
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import check_name

logger = logging.getLogger(__name__)


def read_all(folder: Path) -> dict[str, Kept]:
    """Return what is kept of each site; a file that makes no sense is as none: a blank voter.

    Raises:
        OSError: the folder cannot be made or read.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = {}
    for file in folder.iterdir():
        if file.suffix:
            continue  # half a write
        try:
            found[check_name(file.name, field="site")] = load(file.read_bytes())
        except ProtocolError as err:
            logger.warning("witness: %s cannot be read, the voter begins anew: %s", file, err)
    return found


def write(folder: Path, site: str, kept: Kept) -> None:
    """Put it on disk whole.

    Raises:
        OSError: it may be there or not.
    """
    write_whole(folder / site, kept.blob())
