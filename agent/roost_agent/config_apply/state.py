"""What root keeps of settings: one file, replaced whole, so that every change is all or nothing.

Invariants: what is applied, the journal and the number of the last order change together; with a
journal in it the machine may be anything between two documents.
"""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_agent.config_apply.job_file import JOB_BYTES_MAX
from roost_agent.config_apply.step import Step
from roost_agent.config_apply.told import Failure
from roost_agent.durable import replace_file
from roost_protocol.codec import encode
from roost_protocol.config_report import Digest32
from roost_protocol.envelope import Count, NodeText
from roost_protocol.limits import ORDER_BODY_BYTES_MAX, ORDER_KEYS_MAX
from roost_protocol.order import OrderKey

FOLDER: Final = "/var/lib/roost-config"
NAME: Final = "state"
STATE_BYTES_MAX: Final = 8 << 20  # a few hundred small files, each as it was and as it will be


class Applied(msgspec.Struct, frozen=True):
    """A document that is applied: its generation, digest and settings (encode_settings)."""

    desired: Count
    digest: Digest32
    body: Annotated[bytes, Meta(max_length=ORDER_BODY_BYTES_MAX)]


class Held(msgspec.Struct, frozen=True):
    """An order that waits for its node's window, as it came: it is judged once more then.

    Attributes:
        raw: a Job.
        text: what of it has to wait.
        opens_ms: UTC, by this machine's clock.
    """

    desired: Count
    digest: Digest32
    raw: Annotated[bytes, Meta(max_length=JOB_BYTES_MAX)]
    text: str
    opens_ms: Count


class Leaving(msgspec.Struct, frozen=True):
    """Settings that are gone from the document, and in effect until this boot ends."""

    boot: bytes
    settings: list[str]


class Journal(msgspec.Struct, frozen=True):
    """A document on its way: all its steps, of which any may be done.

    Attributes:
        begun: how often it was begun; a kill lets it begin anew.
        failed: how often it was tried in vain to undo it.
    """

    desired: Count
    digest: Digest32
    steps: list[Step]
    begun: Count = 1
    failed: Count = 0


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        keys: by which orders are believed: those of the first one, and what these brought.
        node: whom the orders are for; empty before the first.
        generation, seq: of the last order that was taken up.
        failure: of the last order, where what it brought was undone or is not for this machine.
        held: the last order, where it waits for its window.
        leaving: what waits for a boot to be gone.
        originals: what was there before roost set it, by section and a name of the section's.
    """

    v: int = 1
    keys: Annotated[tuple[OrderKey, ...], Meta(max_length=ORDER_KEYS_MAX)] = ()
    node: NodeText = ""
    generation: Count = 0
    seq: Count = 0
    applied: Applied | None = None
    held: Held | None = None
    failure: Failure | None = None
    leaving: Leaving | None = None
    originals: dict[str, dict[str, bytes | None]] = {}
    journal: Journal | None = None


class StateError(Exception):
    """The state cannot be read; nothing is done without it."""


_decoder: Final = msgspec.msgpack.Decoder(State)


def load(folder: Path) -> State:
    """Return the state; an empty one where there is none yet.

    Raises:
        StateError: it cannot be read.
    """
    path = folder / NAME
    try:
        with path.open("rb") as stream:
            return _decoder.decode(stream.read(STATE_BYTES_MAX + 1))
    except FileNotFoundError:
        return State()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as err:
        raise StateError(f"{path}: {err}; `roost-config forget` begins anew") from err


def save(folder: Path, state: State) -> None:
    """Replace the state, and return once a power cut could not undo it.

    Raises:
        OSError: it was not written.
    """
    replace_file(folder / NAME, encode(state))
