"""What is done about a host that is silent, as its operators want it (``hosts`` of agent.toml)."""

from enum import StrEnum
from typing import Final

import msgspec

MNFA_THRESHOLD: Final = 2  # hosts over MINOR at once


class Failure(StrEnum):
    """What a lost heartbeat does (``heartbeat_failure_action``)."""

    FAIL = "fail"
    DEGRADE = "degrade"
    ALARM = "alarm"
    NONE = "none"


class Policy(msgspec.Struct, frozen=True):
    """What is done about silence.

    Attributes:
        failure: of one host.
        mnfa_threshold: hosts that are silent together; so many blame the network.
        mnfa_timeout_ms: for how long it is to blame at most; 0: for as long as they are silent.
    """

    failure: Failure = Failure.FAIL
    mnfa_threshold: int = MNFA_THRESHOLD
    mnfa_timeout_ms: int = 0


USUAL: Final = Policy()
