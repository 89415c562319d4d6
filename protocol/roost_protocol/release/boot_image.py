"""A release that a machine boots and is installed from. Pure."""

from typing import Final

from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import FileEntry, Manifest

KIND: Final = "iso"  # no installer: no node takes it as an update


def image_file(manifest: Manifest) -> FileEntry:
    """Return the one file of a release of that kind, which a machine boots as a CD.

    Raises:
        ProtocolError: ``image``: it is of another kind, or has not one file that ends in .iso.
    """
    if manifest.installer != KIND:
        bound = f"a release of the kind {KIND}"
        raise ProtocolError("image", field="installer", got=manifest.installer, bound=bound)
    if len(manifest.files) != 1 or not manifest.files[0].path.endswith(".iso"):
        got = ", ".join(each.path for each in manifest.files[:3]) or "none"
        raise ProtocolError("image", field="files", got=got, bound="one file that ends in .iso")
    return manifest.files[0]
