"""Where a lease is, as one node sees it."""

from typing import Final


class Phase:
    """Where a lease is; plain strings, for they are told to people."""

    UNKNOWN: Final = "unknown"  # the guard has not said yet what it holds
    FOLLOWING: Final = "following"
    PREVOTE: Final = "prevote"
    ACQUIRE: Final = "acquire"
    HOLDING: Final = "holding"
    STOPPING: Final = "stopping"
    DISARMING: Final = "disarming"
    RELEASING: Final = "releasing"  # on its way to this node's own disk
