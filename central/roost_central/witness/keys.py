"""The keys between the witness and the nodes of its sites: a folder with a file for each site.

``SITE.keys`` is TOML, mode 0600: a table ``[pairs]`` of ``"NODE:witness" = "<64 hex digits>"``, as
``roost-agent ha keygen`` prints it. Pairs of two nodes are none of the centre's business, and a
file that has one is refused. Enrolment makes no such keys yet.
"""

import stat
import tomllib
from pathlib import Path
from typing import Final

from roost_central.errors import ConfigError
from roost_protocol.configuration import WITNESS_NAME
from roost_protocol.errors import ProtocolError
from roost_protocol.ha import KEY_BYTES
from roost_protocol.topics import check_name

SUFFIX: Final = ".keys"
FILE_BYTES_MAX: Final = 16 << 10  # 31 nodes have as many pairs of 110 bytes
TABLE: Final = "pairs"


def read_folder(folder: Path) -> tuple[dict[str, dict[str, bytes]], list[str]]:
    """Return the keys by site and node, and why files were left out; none names a key's digits.

    Raises:
        ConfigError: the folder cannot be read.
    """
    found: dict[str, dict[str, bytes]] = {}
    faults: list[str] = []
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == SUFFIX)
    except OSError as err:
        raise ConfigError("folder", field="witness.keys", got=folder, bound=err.strerror) from err
    for file in files:
        try:
            found[check_name(file.name.removesuffix(SUFFIX), field="site")] = read_file(file)
        except ProtocolError as err:
            faults.append(f"{file}: {err}")
        except ConfigError as err:
            faults.append(f"{file}: {err.bound}")
    return found, faults


def read_file(file: Path) -> dict[str, bytes]:
    """Return one site's keys, by node.

    Raises:
        ConfigError: ``keys``; ``bound`` says what is wrong.
    """
    try:
        with file.open("rb") as stream:
            mode = stat.S_IMODE(file.stat().st_mode)
            raw = stream.read(FILE_BYTES_MAX + 1)
    except OSError as err:
        raise _fault(err.strerror or "cannot be read") from err
    if mode & 0o077:
        raise _fault(f"mode {mode:04o} lets others read it; chmod 600 {file}")
    if len(raw) > FILE_BYTES_MAX:
        raise _fault(f"longer than {FILE_BYTES_MAX} bytes")
    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise _fault("not TOML") from err  # what it says may quote a key
    pairs = table.pop(TABLE, None)
    if table or not isinstance(pairs, dict):
        raise _fault(f"must have one table, [{TABLE}]")
    return {_node(pair): _key(pair, text) for pair, text in pairs.items()}


def _node(pair: str) -> str:
    ends = pair.split(":")
    if len(ends) != 2 or WITNESS_NAME not in ends or ends[0] == ends[1]:  # noqa: PLR2004 - a pair
        raise _fault(f"{pair}: must be a node and {WITNESS_NAME}; leave other pairs out")
    return ends[0] if ends[1] == WITNESS_NAME else ends[1]


def _key(pair: str, text: object) -> bytes:
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise _fault(f"{pair}: must be {2 * KEY_BYTES} hex digits")
    return key


def _fault(what: str) -> ConfigError:
    return ConfigError("keys", field="witness.keys", bound=what)
