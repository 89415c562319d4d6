"""The signer's two online keys of releases, and what it knows of the image repository.

They lie in its folder: ``image-online.key`` and ``director.key`` (`roost release keygen --online`),
and the root of the image repository, ``image-root.json``, put there by hand. Without them this
signer signs no releases. What it has verified of the image repository it keeps below ``releases``:
so it goes back to nothing older, also after a restart.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_central.errors import ConfigError

if TYPE_CHECKING:
    from roost_central.signer.release import ReleaseSigner

IMAGE_KEY: Final = "image-online.key"
DIRECTOR_KEY: Final = "director.key"
IMAGE_ROOT: Final = "image-root.json"
KEPT: Final = "releases"


@dataclass(frozen=True, slots=True)
class ReleaseFiles:
    """Where they are."""

    image_key: Path
    director_key: Path
    image_root: Path
    kept: Path


def files_of(folder: Path) -> ReleaseFiles | None:
    """Return the files of releases in a signer's folder; None: it signs none.

    Raises:
        ConfigError: ``signer``: some are there and some are not.
    """
    names = (IMAGE_KEY, DIRECTOR_KEY, IMAGE_ROOT)
    missing = [name for name in names if not (folder / name).exists()]
    if len(missing) == len(names):
        return None
    if missing:
        raise ConfigError(
            "signer", field=str(folder), got=f"no {', '.join(missing)}",
            bound="all three files of releases, or none",
        )  # fmt: skip
    image_key, director_key, root = (folder / name for name in names)
    return ReleaseFiles(image_key, director_key, root, folder / KEPT)


def opened(folder: Path) -> "ReleaseSigner | None":
    """Return what signs releases with a folder; None: nothing does.

    Raises:
        ConfigError: what is in the folder cannot be used.
        OSError: it cannot be read.
    """
    files = files_of(folder)
    if files is None:
        return None
    from roost_central.signer.release import ReleaseSigner  # noqa: PLC0415 - tuf, where it is used

    return ReleaseSigner(files)
