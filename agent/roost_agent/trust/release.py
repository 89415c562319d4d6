"""Judges a release: both chains from a folder, then the rule, then what root keeps of it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost_agent.moment import shown
from roost_agent.trust import kept
from roost_agent.trust.chain import Chain, ChainError
from roost_agent.trust.folder import FolderFetcher
from roost_agent.trust.kept import DIRECTOR_ROOT, IMAGE_ROOT, KeptError, State
from roost_agent.trust.verdict import Said, Site, Verdict, judge
from roost_protocol.errors import ProtocolError
from roost_protocol.release.director import FIELD, read_document
from roost_protocol.release.manifest import decode, digest
from roost_protocol.release.target import target_path
from roost_protocol.remedy import Refusal

IMAGE: Final = "image"
DIRECTOR: Final = "director"
ANCHOR_BYTES_MAX: Final = 512_000
MODELS: Final = (  # of the firmware's tables, or of the device tree, as the inventory has it
    Path("/sys/class/dmi/id/product_name"),
    Path("/proc/device-tree/model"),
)
MODEL_BYTES_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are.

    Attributes:
        mirror: what was fetched or came on a stick; untrusted.
        folder: what is kept; the caller's own.
    """

    mirror: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Box:
    """What this machine is, by itself."""

    arch: str
    hw: frozenset[str]


def this_box(models: Sequence[Path] = MODELS) -> Box:
    """Return what the kernel says of this machine."""
    names = {_text(each) for each in models}
    return Box(os.uname().machine, frozenset(names - {""}))


def _text(path: Path) -> str:
    """Return what a file of the kernel's says; empty: there is none."""
    try:
        with path.open("rb") as file:
            return file.read(MODEL_BYTES_MAX).decode("utf-8", "replace").strip(" \t\r\n\0")
    except OSError:
        return ""


def verify(
    raw: bytes, places: Places, box: Box, now_ms: int, *, is_staged: bool = False
) -> Verdict:
    """Return whether the release of a manifest may be installed; keep it where it may.

    Args:
        raw: the manifest.
        places: see Places.
        box: this machine.
        now_ms: UTC.
        is_staged: it was accepted before: expiry is judged by that time, everything else anew, so
            that days without a WAN stop nothing that is under way, and a retraction does.

    Raises:
        KeptError: what is kept cannot be used.
        OSError: it cannot be written.
    """
    state = kept.load(places.folder)
    try:
        manifest = decode(raw)
        path = target_path(manifest.component, manifest.version)
    except ProtocolError as err:
        return Verdict(Refusal.MANIFEST, f"this is no manifest of a release: {err}")
    expiry_ms = now_ms
    if is_staged:
        before = state.verdicts.get(digest(raw))
        if before is None:
            return Verdict(Refusal.STAGED, f"{path} was not accepted on {state.node} before")
        expiry_ms = before.at_ms
    if now_ms < state.clock_floor_ms:
        now, floor = shown(now_ms), shown(state.clock_floor_ms)
        text = f"the clock of {state.node} says {now}, and at {floor} something was signed that "
        return Verdict(Refusal.CLOCK, f"{text}it has installed")
    try:
        said = _said(path, places, expiry_ms)
    except ChainError as err:
        return Verdict(err.code, str(err))
    except ProtocolError as err:
        return Verdict(Refusal.DOCUMENT, f"the director's document is none: {err}")
    verdict = judge(said, raw, manifest, _site(state, box), now_ms)
    if verdict.is_accepted and not is_staged:
        kept.save(places.folder, kept.accepted(state, verdict, now_ms))
    return verdict


def chains(places: Places, now_ms: int) -> tuple[Chain, Chain]:
    """Return image repository and director as the mirror has them, refreshed.

    Raises:
        ChainError: one does not hold.
        KeptError: there is no anchor.
        OSError: what is verified cannot be kept.
    """
    made = []
    for name, anchor in ((IMAGE, IMAGE_ROOT), (DIRECTOR, DIRECTOR_ROOT)):
        fetcher = FolderFetcher(places.mirror / name)
        chain = Chain(
            name, anchor=read_anchor(places.folder / anchor), kept=places.folder / name,
            fetcher=fetcher, now_ms=now_ms,
        )  # fmt: skip
        chain.refresh()
        made.append(chain)
    return made[0], made[1]


def read_anchor(path: Path) -> bytes:
    """Return a root of trust.

    Raises:
        KeptError: there is none.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(ANCHOR_BYTES_MAX + 1)
    except OSError as err:
        raise KeptError(f"{path}: {err.strerror}: no root of trust, nothing is installed") from err
    if len(raw) > ANCHOR_BYTES_MAX:
        raise KeptError(f"{path}: more than {ANCHOR_BYTES_MAX} bytes")
    return raw


def _said(path: str, places: Places, now_ms: int) -> Said:
    image, director = chains(places, now_ms)
    document = read_document(director.field(FIELD))
    return Said(path, image.named(path), director.named(path), document)


def _site(state: State, box: Box) -> Site:
    return Site(
        node=state.node, arch=box.arch, hw=box.hw, floors=state.floors, running=state.running,
        clock_floor_ms=state.clock_floor_ms,
    )  # fmt: skip
