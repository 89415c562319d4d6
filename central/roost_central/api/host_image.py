"""The image that a host is installed anew from: which release is meant, and whether it is one.

What is in the way of it is told before anything is ordered. The node that does it goes by the image
repository itself, and by the digest of the order: both have to name the same bytes.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from roost_central.api.call import Call
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.releases.shelf import AVAILABLE, Release
from roost_protocol.errors import ProtocolError
from roost_protocol.release.boot_image import image_file

_HINT: Final = "`roost release list` shows what there is"


async def image_given(call: Call[Any, Any], said: str) -> dict[str, Any]:
    """Return what the order says of the image that was asked for.

    Raises:
        ApiError: it is missing, unknown, not named by the image repository, or boots no machine.
    """
    if not said:
        detail = "which image: COMPONENT@VERSION of a release, or the digest of its manifest"
        raise blame("invalid", FieldError("image", "missing", detail))
    desk = call.api.releases
    if desk is None:
        raise _conflict("this centre keeps no releases: [fleet] with a signer in central.toml")
    found = _meant(await asyncio.to_thread(desk.releases), said)
    length = desk.store.chains.image.releases[found.path].length
    return {
        "component": found.component, "version": found.version, "digest": found.digest,
        "length": length,
    }  # fmt: skip


def _meant(known: Sequence[Release], said: str) -> Release:
    meant = [each for each in known if said in {f"{each.component}@{each.version}", each.digest}]
    if not meant:
        raise _conflict(f"there is no release {said}: {_HINT}")
    named = [each for each in meant if each.state == AVAILABLE]
    if not named:
        text = f"the image repository does not name {said}, it is {meant[0].state}: {_HINT}"
        raise _conflict(text)
    try:
        image_file(named[0].manifest)
    except ProtocolError as err:
        raise _conflict(f"{said} boots no machine: {err}") from err
    return named[0]


def _conflict(detail: str) -> ApiError:
    return ApiError("conflict", detail, errors=[FieldError("image", "image", detail)])
