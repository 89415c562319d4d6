"""What root keeps of updates, and the agent reads: one file, replaced whole.

It is root's journal: what runs, what is on trial, and how each request ended, by its key. Nothing
in it is secret. So a captured agent turns nothing back, and a killed one asks how a step ended.

Invariants: what is on trial is written before anything of the system is touched for it; a result
is there once what it tells is on the disk.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count
from roost_protocol.patterns import END
from roost_protocol.update_verbs import Sha256Text

FOLDER: Final = "/var/lib/roost-install"
NAME: Final = "state.json"
STATE_BYTES_MAX: Final = 1 << 20
COMPONENTS_MAX: Final = 64
RESULTS_MAX: Final = 64  # the oldest goes; a job has some ten
KEY_PATTERN: Final = r"^[0-9a-f]{32}\.[0-9]{1,3}\.[a-z_]{1,32}(\.[0-9])?" + END

Word = Literal["running", "done", "failed"]


class Release(msgspec.Struct, frozen=True):
    """One release of a component, by the digest of its manifest."""

    version: str
    digest: Sha256Text
    kind: str


class Component(msgspec.Struct, frozen=True, omit_defaults=True):
    """What there is of one component.

    Attributes:
        running: committed; None: nothing is.
        previous: committed before that, kept so that it can come back.
        staged: unpacked and judged, not touched yet.
        trial: its activation was begun and is not committed.
    """

    running: Release | None = None
    previous: Release | None = None
    staged: Release | None = None
    trial: Release | None = None


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a request ended, or that it is under way.

    Attributes:
        key: of the step, ``JOB.ATTEMPT.STEP``.
        code: of a failure, a word for programs.
        text: a sentence for people.
        reboot: the installer says that it takes a boot.
    """

    key: Annotated[str, Meta(pattern=KEY_PATTERN)]
    verb: str
    digest: Sha256Text
    word: Word
    code: str = ""
    text: str = ""
    reboot: bool = False
    at_ms: Count = 0


class Installed(msgspec.Struct, frozen=True):
    """All of it."""

    v: int = 1
    components: Annotated[dict[str, Component], Meta(max_length=COMPONENTS_MAX)] = {}
    results: Annotated[tuple[Result, ...], Meta(max_length=RESULTS_MAX)] = ()

    def result(self, key: str) -> Result | None:
        """Return how a request ended; None: it was never begun."""
        return next((each for each in self.results if each.key == key), None)

    def component(self, name: str) -> Component:
        """Return what there is of a component."""
        return self.components.get(name, Component())


_decoder: Final = msgspec.json.Decoder(Installed)


def read(folder: Path) -> Installed:
    """Return what root keeps; an empty one where there is nothing yet.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    try:
        with (folder / NAME).open("rb") as stream:
            return _decoder.decode(stream.read(STATE_BYTES_MAX + 1))
    except FileNotFoundError:
        return Installed()
