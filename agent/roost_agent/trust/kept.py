"""What root keeps of trust: which node this is, floors, the clock's floor, verdicts.

One file, replaced whole, in a folder that root alone writes to: a captured agent turns nothing of
it back. Beside it lie the two anchors and the metadata that was verified. Nothing of it is secret.

Invariants: a floor and the clock's floor never fall, and they rise by what offline keys signed
alone: neither the node's clock nor an online key moves them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_agent.durable import replace_file
from roost_agent.errors import AgentError
from roost_agent.trust.verdict import Verdict
from roost_protocol.envelope import Count, NodeText
from roost_protocol.release.target import TargetCustom

FOLDER: Final = "/var/lib/roost-trust"
NAME: Final = "state.json"
IMAGE_ROOT: Final = "image-root.json"
DIRECTOR_ROOT: Final = "director-root.json"
STATE_BYTES_MAX: Final = 1 << 20
READABLE: Final = 0o644  # nothing of it is secret
VERDICTS_MAX: Final = 64  # the oldest goes
COMPONENTS_MAX: Final = 256

_Counters = Annotated[dict[str, Count], Meta(max_length=COMPONENTS_MAX)]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted release, until something newer pushes it out.

    Attributes:
        at_ms: when both chains were found valid and unexpired: that is judged once.
        not_after_ms: the director's end.
    """

    path: str
    job: str
    custom: TargetCustom
    at_ms: Count
    not_after_ms: Count


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        node: ``SITE.NODE``.
        floors: component to the least counter that may come.
        running: component to the counter that is committed.
        clock_floor_ms: UTC.
        clock_ok_ms: when root said last, for a stick, that this clock is right though no time
            service keeps it, by this very clock; 0: the last stick came by a clock that is kept.
        verdicts: digest of the manifest to what was accepted, oldest first.
    """

    v: int = 1
    node: NodeText = ""
    floors: _Counters = {}
    running: _Counters = {}
    clock_floor_ms: Count = 0
    clock_ok_ms: Count = 0
    verdicts: Annotated[dict[str, Kept], Meta(max_length=VERDICTS_MAX)] = {}


class KeptError(AgentError):
    """What root keeps cannot be used; nothing is installed without it."""


_decoder: Final = msgspec.json.Decoder(State)


def load(folder: Path) -> State:
    """Return what is kept.

    Raises:
        KeptError: there is nothing, or it makes no sense.
    """
    path = folder / NAME
    try:
        with path.open("rb") as stream:
            return _decoder.decode(stream.read(STATE_BYTES_MAX + 1))
    except FileNotFoundError as err:
        text = f"{path} is not there: as root, roost-agent verify anchor makes it"
        raise KeptError(text) from err
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as err:
        raise KeptError(f"{path}: {err}: nothing is installed while it cannot be read") from err


def save(folder: Path, state: State) -> None:
    """Replace what is kept, and return once a power cut could not undo it.

    Raises:
        OSError: it was not written.
    """
    content = msgspec.json.format(msgspec.json.encode(state), indent=1)
    replace_file(folder / NAME, content, READABLE)


def accepted(state: State, verdict: Verdict, now_ms: int) -> State:
    """Return the state with a verdict in it that said yes."""
    if verdict.custom is None:
        return state
    entry = Kept(
        path=verdict.path, job=verdict.job, custom=verdict.custom, at_ms=now_ms,
        not_after_ms=verdict.not_after_ms,
    )  # fmt: skip
    others = [(digest, each) for digest, each in state.verdicts.items() if digest != verdict.digest]
    verdicts = dict([*others, (verdict.digest, entry)][-VERDICTS_MAX:])
    clock = max(state.clock_floor_ms, verdict.custom.signed_at_ms)
    return msgspec.structs.replace(state, verdicts=verdicts, clock_floor_ms=clock)


def committed(state: State, digest: str) -> State:
    """Return the state once an accepted release runs for good: its signed floor counts.

    Raises:
        KeptError: nothing of that digest was accepted here.
    """
    entry = state.verdicts.get(digest)
    if entry is None:
        raise KeptError(f"{digest}: no release of this digest was accepted on this node")
    component = entry.custom.component
    floor = max(state.floors.get(component, 0), entry.custom.floor)
    return msgspec.structs.replace(
        state,
        floors=_with(state.floors, component, floor),
        running=_with(state.running, component, entry.custom.counter),
    )


def _with(counters: Mapping[str, int], component: str, counter: int) -> dict[str, int]:
    return {**counters, component: counter}
