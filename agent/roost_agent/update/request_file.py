"""Where the agent puts down what it asks of root, and what it looks like.

Root believes nothing of it: the digest chooses among what both chains of trust name, the path is
where the manifest lies in the mirror, and the key is the name by which the answer is looked up.
"""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_agent.update.installed import KEY_PATTERN

FOLDER: Final = "/run/roost"  # the agent's own, RuntimeDirectory of its unit
REQUEST_BYTES_MAX: Final = 4_096
VERBS: Final = ("stage", "activate", "confirm", "rollback", "cleanup")


class InstallRequest(msgspec.Struct, frozen=True):
    """What the agent writes.

    Attributes:
        key: of the step.
        component, version: of the release.
    """

    v: int
    key: Annotated[str, Meta(pattern=KEY_PATTERN)]
    component: Annotated[str, Meta(max_length=80)]
    version: Annotated[str, Meta(max_length=64)]


def request_file(folder: Path, verb: str, digest: str) -> Path:
    """Return where the request of a verb about a release lies."""
    return folder / f"install-{verb}-{digest}.request"
