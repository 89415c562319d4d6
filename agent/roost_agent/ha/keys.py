"""Pair keys: one secret for each two nodes, read from a file until enrolment makes them.

TOML, mode 0600: a table ``[pairs]`` of ``"c0:c1" = "<64 hex digits>"``. Every node's file needs the
pairs of that node alone; a file with all of them is the same for all nodes.
"""

import hmac
import stat
import sys
import tomllib
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Final

from roost_agent.errors import ConfigError
from roost_agent.ports import Entropy, SystemEntropy
from roost_protocol.errors import ProtocolError
from roost_protocol.ha import KEY_BYTES
from roost_protocol.limits import HA_NODES_MAX
from roost_protocol.topics import check_name

FILE_BYTES_MAX: Final = 256 << 10  # 32 nodes have 496 pairs of 80 bytes
TABLE: Final = "pairs"
PASSWORD_LABEL: Final = b"roost ha broker password\x00"


def load_keys(file: Path, me: str, nodes: Mapping[str, int]) -> dict[int, bytes]:
    """Return this node's key with each other node, by that node's index.

    Args:
        file: of the pairs.
        me: this node's name.
        nodes: the site's names and their indices.

    Raises:
        ConfigError: with every fault; none of them names a key's digits.
    """
    pairs = _read(file)
    keys: dict[int, bytes] = {}
    faults = []
    for name, text in pairs.items():
        ends = name.split(":")
        if len(ends) != 2 or ends[0] == ends[1]:  # noqa: PLR2004 - a pair
            faults.append(f"{file}: {TABLE}.{name}: must be two nodes, as in c0:c1")
        elif me in ends:
            peer = ends[0] if ends[1] == me else ends[1]
            key = _key(text)
            if peer not in nodes:
                faults.append(f"{file}: {TABLE}.{name}: {peer} is no node of the site")
            elif key is None:
                faults.append(f"{file}: {TABLE}.{name}: must be {2 * KEY_BYTES} hex digits")
            elif nodes[peer] in keys:
                faults.append(f"{file}: {TABLE}.{name}: there is one already")
            else:
                keys[nodes[peer]] = key
    faults += [
        f"{file}: {TABLE}: no key of {me} and {name}"
        for name, index in nodes.items()
        if name != me and index not in keys and not faults
    ]
    if faults:
        raise ConfigError(faults)
    return keys


def keygen(argv: list[str], entropy: Entropy | None = None) -> int:
    """Print a key file for the nodes named; ``roost-agent ha keygen c0 c1 w1``."""
    names = list(dict.fromkeys(argv))
    if not 2 <= len(names) <= HA_NODES_MAX or len(names) != len(argv):  # noqa: PLR2004 - a pair
        raise ConfigError([f"ha keygen NODE NODE...: 2 to {HA_NODES_MAX} names, each once"])
    for name in names:
        try:
            check_name(name, field="node")
        except ProtocolError as err:
            raise ConfigError([f"ha keygen: {err}"]) from err
    source = entropy or SystemEntropy()
    lines = [f'"{one}:{two}" = "{source.token(KEY_BYTES).hex()}"' for one, two in _pairs(names)]
    sys.stdout.write("\n".join([f"[{TABLE}]", *lines]) + "\n")
    return 0


def broker_password(key: bytes, broker: str) -> str:
    """Return the password with which the key's other node logs in to the broker on ``broker``.

    Both ends of the pair can reckon it, nobody else, and no key can be read back from it.
    """
    return hmac.digest(key, PASSWORD_LABEL + broker.encode(), "sha256").hex()


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    return list(combinations(names, 2))


def _read(file: Path) -> dict[str, object]:
    """Return the pairs of a file that nobody but its owner can read."""
    try:
        with file.open("rb") as stream:
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & 0o077:
                raise ConfigError(
                    [f"{file}: mode {mode:04o} lets others read it; chmod 600 {file}"]
                )
            raw = stream.read(FILE_BYTES_MAX + 1)
    except OSError as err:
        raise ConfigError([f"{file}: {err.strerror}"]) from err
    if len(raw) > FILE_BYTES_MAX:
        raise ConfigError([f"{file}: longer than {FILE_BYTES_MAX} bytes"])
    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError([f"{file}: not TOML"]) from err  # what it says may quote a key
    pairs = table.pop(TABLE, None)
    if table or not isinstance(pairs, dict):
        raise ConfigError([f"{file}: must have one table, [{TABLE}]"])
    return pairs


def _key(text: object) -> bytes | None:
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return None
    return key if len(key) == KEY_BYTES else None
