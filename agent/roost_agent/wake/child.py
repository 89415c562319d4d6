"""The probe as a child that exits: heavy imports and long reads cost the resident agent nothing.

The child lowers its own priorities (nice, idle I/O) and limits its processor time.
"""

import sys
from typing import Any, Final

import msgspec

from roost_agent import child
from roost_agent.errors import ProbeError

DEADLINE_S: Final = 30.0
OUTPUT_BYTES_MAX: Final = 16 << 20
VERSION: Final = 1


class ProbedSection(msgspec.Struct, frozen=True):
    """One class as the child found it."""

    items: dict[str, dict[str, Any]]
    missing: dict[str, str]
    as_of_ms: int
    cost_ms: int = 0


class Document(msgspec.Struct, frozen=True):
    """What the child writes."""

    v: int
    sections: dict[str, ProbedSection]


async def probe(classes: tuple[str, ...]) -> Document:
    """Return what a probe of the classes finds; of all of them where empty.

    Raises:
        ProbeError: it failed, took longer than DEADLINE_S, or wrote what is no document.
    """
    words = (sys.executable, "-P", "-m", "roost_agent", "probe", "--msgpack", *classes)
    try:
        done = await child.run(words, seconds=DEADLINE_S, bytes_max=OUTPUT_BYTES_MAX)
    except TimeoutError as err:
        raise ProbeError(f"not done after {DEADLINE_S:g} s, killed") from err
    except OSError as err:
        raise ProbeError(f"cannot start: {err}") from err
    if done.status:
        complaint = done.why
        raise ProbeError(f"exit status {done.status}: {complaint}")
    return _decoded(done.output)


def _decoded(raw: bytes) -> Document:
    try:
        document = msgspec.msgpack.Decoder(Document).decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise ProbeError(f"no document of a probe: {err}") from err
    if document.v != VERSION:
        raise ProbeError(f"a document of version {document.v}, this agent knows {VERSION}")
    return document
