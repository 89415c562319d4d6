"""The order keys of a node: a file of the identity, checked by who reads it.

Written by the commands that take an identity (enrol/); read by the child that checks signatures.
The resident agent looks only whether it is there.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from roost_protocol.limits import ORDER_KEYS_MAX
from roost_protocol.order import OrderKey

FILE: Final = "order-keys.json"
VOUCHES_FILE: Final = "order-vouches.json"
FILE_BYTES_MAX: Final = 4 * 1024

_decoder: Final = msgspec.json.Decoder(
    Annotated[tuple[OrderKey, ...], msgspec.Meta(min_length=1, max_length=ORDER_KEYS_MAX)]
)

_vouches: Final = msgspec.json.Decoder(dict[str, bytes])


def file_of(keys: Iterable[OrderKey]) -> dict[str, bytes]:
    """Return the file by its name; none where there are no keys, for then no order is taken."""
    known = tuple(keys)
    return {FILE: msgspec.json.format(msgspec.json.encode(known), indent=1)} if known else {}


def vouches_of(vouches: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the file of the words of keys for those after them; none where there are none."""
    return {VOUCHES_FILE: msgspec.json.encode(vouches)} if vouches else {}


def read_vouches(identity: Path) -> dict[str, bytes]:
    """Return the words of keys for those after them, by the name of the one that is vouched for.

    Raises:
        OSError: they cannot be read.
        ValueError: they make no sense.
    """
    try:
        with (identity / VOUCHES_FILE).open("rb") as file:
            return _vouches.decode(file.read(FILE_BYTES_MAX))
    except FileNotFoundError:
        return {}  # no key has followed another one yet


def read_keys(identity: Path) -> tuple[OrderKey, ...]:
    """Return the keys of an identity folder.

    Raises:
        OSError: they cannot be read.
        ValueError: they make no sense.
    """
    with (identity / FILE).open("rb") as file:
        keys: tuple[OrderKey, ...] = _decoder.decode(file.read(FILE_BYTES_MAX))
    return keys
