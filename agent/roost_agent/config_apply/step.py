"""Steps: the changes of a machine as data, each with what was there before.

They are written to the journal before the first is done, so a step can be done or undone again
after any interruption and comes to the same: it puts what is in it, whatever is there.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import msgspec

from roost_protocol.codec import encode

VALUE_BYTES_MAX: Final = 4_096  # a page: what the kernel takes at once


class PutFile(msgspec.Struct, frozen=True, tag="file"):
    """Put a whole file; None: there is none.

    Attributes:
        path: below the root, without a leading slash.
    """

    path: str
    before: bytes | None
    after: bytes | None

    def inverse(self) -> "PutFile":
        """Return the step back."""
        return PutFile(self.path, self.after, self.before)


class PutLink(msgspec.Struct, frozen=True, tag="link"):
    """Make a path a symbolic link to somewhere; None: there is none."""

    path: str
    before: bytes | None
    after: bytes | None

    def inverse(self) -> "PutLink":
        """Return the step back."""
        return PutLink(self.path, self.after, self.before)


class PutValue(msgspec.Struct, frozen=True, tag="value"):
    """Write a value into a file of the kernel's, which is there already."""

    path: str
    before: bytes
    after: bytes

    def inverse(self) -> "PutValue":
        """Return the step back."""
        return PutValue(self.path, self.after, self.before)


class Unit(msgspec.Struct, frozen=True, tag="unit"):
    """Have systemd do something with a unit that reads what was put: ``restart``, ``start``.

    Back is the same: it reads what is there then.
    """

    verb: str
    unit: str

    def inverse(self) -> "Unit":
        """Return itself."""
        return self


class PutNetwork(msgspec.Struct, frozen=True, tag="network"):
    """Make interfaces and routes those of one network; ``network.codec`` reads both.

    What is the same in both is left alone. From wherever the way between them was left.
    """

    before: bytes
    after: bytes

    def inverse(self) -> "PutNetwork":
        """Return the step back."""
        return PutNetwork(self.after, self.before)


Step: TypeAlias = PutFile | PutLink | PutValue | PutNetwork | Unit
_decoder: Final = msgspec.msgpack.Decoder(list[Step])


def undoing(steps: Sequence[Step]) -> list[Step]:
    """Return what undoes steps, done wholly, in part or not at all: units last, they read files."""
    puts = [step.inverse() for step in reversed(steps) if not isinstance(step, Unit)]
    return [*puts, *(step for step in steps if isinstance(step, Unit))]


def is_done(back: PutFile | PutLink | PutValue, found: bytes | None) -> bool:
    """Say whether what a step back undoes was done, by what is there now.

    Files and links are there whole: what is neither of the two is somebody's since. The kernel may
    have made another value of ours, so of values only the one before counts as not done.
    """
    if isinstance(back, PutValue):
        return not is_as(back, found)
    return found == back.before


def is_as(step: PutFile | PutLink | PutValue, found: bytes | None) -> bool:
    """Say whether what is there is what a step puts; the kernel writes spaces its own way."""
    if isinstance(step, PutValue):
        return found is not None and found.split() == step.after.split()
    return found == step.after


def dump(steps: Sequence[Step]) -> bytes:
    """Return the bytes of steps."""
    return encode(list(steps))


def load(raw: bytes) -> list[Step]:
    """Return the steps in these bytes.

    Raises:
        msgspec.MsgspecError: they make no sense.
    """
    found: Any = _decoder.decode(raw)
    steps: list[Step] = found
    return steps
