"""Makes a bundle of a folder: the same folder gives the same digest, on any machine.

Only what is there counts: paths in order, bytes, and whether the owner may execute. Links, devices
and private keys are refused.

Leaves to others: what lies in the folder (source_files.py), frames and deltas (packing.py), and to
check what was made (bundle.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Final

import msgspec

from roost_central.private_file import sync_folder
from roost_central.releases.bundle import MANIFEST, RELEASE, Bundle, check, read
from roost_central.releases.fault import ReleaseError
from roost_central.releases.packing import deltas_to, packed
from roost_central.releases.source_files import walked
from roost_protocol.errors import ProtocolError
from roost_protocol.release.kinds import refusal
from roost_protocol.release.manifest import FORMAT, Manifest, decode
from roost_protocol.release.target import TargetCustom, target_path

PREVIOUS_MAX: Final = 3
_NAMES: Final = {
    "component": "it is agent or os, or app, plugin, config or policy with /NAME: small letters, "
    "digits, '.', '_' and '-'",
    "version": "it has 1 to 64 letters, digits, '.', '+', '~', '_' and '-'",
}


@dataclass(frozen=True, slots=True)
class Described:
    """What the maker of a release says of it; see Manifest and TargetCustom."""

    component: str
    version: str
    counter: int
    installer: str
    reboot: bool = False
    needs_drain: bool = False
    arch: str = ""
    hw: tuple[str, ...] = ()
    min_from: str = ""
    least_counter: int = 0
    floor: int | None = None
    is_barrier: bool = False
    sbom: str = ""
    expected_alarms: Mapping[str, int] = field(default_factory=dict)


def build(source: Path, said: Described, out: Path, previous: Sequence[Bundle] = ()) -> Bundle:
    """Make a bundle of what lies below a folder.

    Args:
        source: its files are the release's.
        said: see Described.
        out: a folder that is not there yet.
        previous: releases before, the newest first, to which deltas are made.

    Raises:
        ReleaseError: ``bundle``, ``secret``, ``exists``.
        OSError: something cannot be read or written.
    """
    if out.exists():
        raise ReleaseError("exists", f"{out} is there already: nothing was written")
    if len(previous) > PREVIOUS_MAX:
        raise ReleaseError("bundle", f"deltas are made to {PREVIOUS_MAX} releases at the most")
    _named(said)
    fresh = out.with_name(f"{out.name}.new")
    if fresh.exists():
        raise ReleaseError("exists", f"{fresh} is left from before: remove it, then build again")
    try:
        return _made(source, said, out, fresh, previous)
    except BaseException:  # whatever it was, the next attempt begins anew
        rmtree(fresh, ignore_errors=True)
        raise


def _made(
    source: Path, said: Described, out: Path, fresh: Path, previous: Sequence[Bundle]
) -> Bundle:
    """Fill a folder, and give it its name once it is whole."""
    found = list(walked(source))
    if not found:
        raise ReleaseError("bundle", f"{source} has no files: there is nothing to release")
    entries = [packed(each, fresh) for each in found]
    deltas = deltas_to(entries, found, previous, fresh)
    manifest = Manifest(
        format=FORMAT, component=said.component, version=said.version,
        release_counter=said.counter, installer=said.installer, reboot=said.reboot,
        needs_drain=said.needs_drain, arch=said.arch, hw=list(said.hw), min_from=said.min_from,
        expected_alarms=dict(said.expected_alarms),
        size_unpacked=sum(each.size for each in entries), files=entries, deltas=deltas,
    )  # fmt: skip
    raw = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    try:
        decode(raw)
    except ProtocolError as err:
        raise ReleaseError("bundle", f"{source}: {err}") from err
    custom = _custom(said, manifest)
    (fresh / MANIFEST).write_bytes(raw)
    said_raw = msgspec.json.format(msgspec.json.encode(custom), indent=1) + b"\n"
    (fresh / RELEASE).write_bytes(said_raw)
    made = read(fresh)
    check(made.manifest, made.open)
    sync_folder(fresh)
    fresh.rename(out)
    return Bundle(out, made.raw, made.manifest, made.custom)


def _named(said: Described) -> None:
    try:
        target_path(said.component, said.version)
    except ProtocolError as err:
        raise ReleaseError("bundle", f"{err.field} {err.got!r}: {_NAMES[err.field]}") from err
    if why := refusal(said.component, said.installer):
        raise ReleaseError("bundle", f"installer: {why}")
    floor = said.floor if said.floor is not None else 0
    if not 0 <= floor <= said.counter:
        raise ReleaseError("bundle", f"the floor {floor} is above the counter {said.counter}")


def _custom(said: Described, manifest: Manifest) -> TargetCustom:
    # One step back stays open: a security release says its own counter instead (updates.md 10).
    floor = max(0, said.counter - 1) if said.floor is None else said.floor
    return TargetCustom(
        component=said.component, version=said.version, counter=said.counter,
        least_counter=said.least_counter, floor=floor, is_barrier=said.is_barrier,
        hw=list(said.hw), arch=said.arch, size_unpacked=manifest.size_unpacked, sbom=said.sbom,
        signed_at_ms=0,
    )  # fmt: skip
