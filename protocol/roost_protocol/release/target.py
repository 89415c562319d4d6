"""What the signers of a release say of it: the ``custom`` of a TUF target. Pure.

The target is the manifest; its path is ``COMPONENT/VERSION.json``. The image repository says it
by offline keys, the director repeats it word for word, and a node wants both to be equal
(updates.md 10). Counters, not versions, order the releases of a component: they are whole numbers
that its signers set, so that no node parses versions.
"""

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import END
from roost_protocol.release.manifest import COMPONENT, UNPACKED_BYTES_MAX, Manifest
from roost_protocol.update import VERSION_PATTERN, VersionText

COUNTER_MAX: Final = 1 << 53
CUSTOM: Final = "roost"  # the key in a target's custom
_VERSION: Final = re.compile(VERSION_PATTERN)
_SUFFIX: Final = ".json"

TargetPath = Annotated[
    str,
    Meta(
        pattern=r"^(agent|os|(app|plugin|config|policy)/[a-z0-9][a-z0-9._-]{0,62})"
        r"/[0-9A-Za-z][0-9A-Za-z.+~_-]{0,63}\.json" + END
    ),
]
Counter = Annotated[int, Meta(ge=0, le=COUNTER_MAX)]
_Word = Annotated[str, Meta(min_length=1, max_length=64)]


class TargetCustom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A release, as its signers know it.

    Attributes:
        counter: of the component; greater than that of every release that was signed before.
        least_counter: the least release to come from; 0: any.
        floor: no release of a lower counter is installed once this one is committed.
        is_barrier: no update goes past it: it is a stop on the way.
        hw, arch: what it is for; empty: everything.
        sbom: SHA-256 of its list of parts; empty: there is none.
        signed_at_ms: UTC, by who signed; a node's clock is never before it.
    """

    component: str
    version: VersionText
    counter: Counter
    least_counter: Counter = 0
    floor: Counter = 0
    is_barrier: bool = False
    hw: Annotated[list[_Word], Meta(max_length=256)] = []
    arch: Annotated[str, Meta(max_length=32)] = ""
    size_unpacked: Annotated[int, Meta(ge=0, le=UNPACKED_BYTES_MAX)]
    sbom: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?" + END)] = ""
    signed_at_ms: Counter


def target_path(component: str, version: str) -> str:
    """Return the path of a release's target.

    Raises:
        ProtocolError: ``component`` or ``version`` is none.
    """
    if COMPONENT.fullmatch(component) is None:
        raise ProtocolError("field", field="component", got=component, bound=COMPONENT.pattern)
    if _VERSION.match(version) is None:
        raise ProtocolError("field", field="version", got=version, bound=VERSION_PATTERN)
    return f"{component}/{version}{_SUFFIX}"


def read_custom(path: str, custom: object) -> TargetCustom:
    """Return what the custom of a target says.

    Args:
        path: of the target.
        custom: as JSON gave it.

    Raises:
        ProtocolError: ``custom``: it is none of ours, or it is of another path.
    """
    said = custom.get(CUSTOM) if isinstance(custom, dict) else None
    try:
        read = msgspec.convert(said, TargetCustom)
    except msgspec.ValidationError as err:
        raise ProtocolError("custom", field=path, detail=str(err)[:200]) from err
    wanted = target_path(read.component, read.version)
    if wanted != path:
        raise ProtocolError("custom", field=path, got=wanted, bound="its own path")
    if read.floor > read.counter:
        raise ProtocolError("custom", field="floor", got=read.floor, bound=read.counter)
    return read


def written(custom: TargetCustom) -> dict[str, object]:
    """Return the custom of a target as JSON has it."""
    return {CUSTOM: msgspec.to_builtins(custom)}


def check_manifest(custom: TargetCustom, manifest: Manifest) -> None:
    """Check that a manifest is the release that its signers mean.

    Raises:
        ProtocolError: ``manifest`` with the field in which they differ.
    """
    for field, said, has in (
        ("component", custom.component, manifest.component),
        ("version", custom.version, manifest.version),
        ("release_counter", custom.counter, manifest.release_counter),
        ("arch", custom.arch, manifest.arch),
        ("hw", ",".join(custom.hw), ",".join(manifest.hw)),
        ("size_unpacked", custom.size_unpacked, manifest.size_unpacked),
    ):
        if said != has:
            raise ProtocolError("manifest", field=field, got=has, bound=said)
