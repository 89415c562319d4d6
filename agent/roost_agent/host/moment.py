"""Now, as the cores of a host are told it."""

import msgspec


class Moment(msgspec.Struct, frozen=True):
    """The boot clock for what passes, UTC for what is told; both in ms."""

    ms: int
    wall_ms: int
