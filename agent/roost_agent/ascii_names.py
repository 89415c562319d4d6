"""The codec ``idna`` without its tables where a name is ASCII already.

Sockets and TLS spell every host name by it, and the library's brings stringprep and unicodedata:
0.9 MiB. Here they come with the first name that is not ASCII; what is refused, the library refuses.
"""

import codecs
import importlib
import sys
import types
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LABEL_BYTES_MAX: Final = 63  # RFC 1035 section 2.3.4
MODULE: Final = "encodings.idna"


def take_over() -> None:
    """Be that codec from now on: Python keeps the first that was found under a name."""
    if MODULE in sys.modules:
        return
    stand_in = types.ModuleType(MODULE)
    stand_in.getregentry = lambda: codecs.CodecInfo(  # type: ignore[attr-defined] # as each has
        name="idna", encode=_spell, decode=_read
    )
    sys.modules[MODULE] = stand_in
    try:
        codecs.lookup("idna")
    finally:
        del sys.modules[MODULE]


def _spell(name: str, errors: str = "strict") -> tuple[bytes, int]:
    if name.isascii():
        raw = name.encode()
        sizes = [len(label) for label in raw.removesuffix(b".").split(b".")]
        if min(sizes) > 0 and max(sizes) <= LABEL_BYTES_MAX:
            return raw, len(name)
    return _library().encode(name, errors)


def _read(raw: "ReadableBuffer", errors: str = "strict") -> tuple[str, int]:
    return _library().decode(bytes(raw), errors)


def _library() -> codecs.CodecInfo:
    found: codecs.CodecInfo = importlib.import_module(MODULE).getregentry()
    return found
