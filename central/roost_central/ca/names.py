"""Names of the files of a fleet's keys, which the ceremony writes and the signer reads.

A folder holds any number of each: ``node-ca.pem``, then ``node-ca-20271128T120000Z.pem`` and so on.
The last by name issues; the others are believed until they end. So a rotation is two more files.
"""

from datetime import UTC, datetime
from typing import Final

ROOT: Final = "root"
ORDER: Final = "order"
CERTIFICATE: Final = ".pem"
KEY: Final = ".key"
POLICY: Final = "policy.toml"
LOG: Final = "signatures.log"
FOLDER_MODE: Final = 0o700
STAMP: Final = "%Y%m%dT%H%M%SZ"


def stem(authority: str) -> str:
    """Return what the names of an authority's files begin with."""
    return f"{authority}-ca"


def stamp(now: datetime) -> str:
    """Return a moment as it stands in names: these sort by time."""
    return now.astimezone(UTC).strftime(STAMP)


def stamped_s(name: str, stem: str) -> int:
    """Return the second (UTC) in a file's name without its suffix; 0 where there is none."""
    try:
        moment = datetime.strptime(f"{name.removeprefix(f'{stem}-')} +0000", f"{STAMP} %z")
    except ValueError:
        return 0
    return int(moment.timestamp())


def is_of(name: str, stem: str) -> bool:
    """Say whether a file's name without its suffix is one of a stem's."""
    rest = name.removeprefix(f"{stem}-")
    return name == stem or (rest != name and rest.isalnum())
