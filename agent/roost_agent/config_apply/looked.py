"""What a look at the applied settings found, as the child tells it to the agent."""

from typing import Final

import msgspec

from roost_protocol.config_report import Drift

LOOKED_BYTES_MAX: Final = 512 * 1024


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        digest: of the document that it was compared with, in hexadecimal digits; empty: none.
        drift: by section.
        pending: settings that wait for a reboot.
        unread: section and reason of what could not be read.
        reapply: a section with drift is to be applied again by itself.
    """

    digest: str = ""
    drift: dict[str, list[Drift]] = {}
    pending: list[str] = []
    unread: dict[str, str] = {}
    reapply: bool = False


_decoder: Final = msgspec.json.Decoder(Looked)


def decode(raw: bytes) -> Looked:
    """Return what a child has found.

    Raises:
        ValueError: it makes no sense.
    """
    return _decoder.decode(raw)
