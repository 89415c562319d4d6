"""The steps of one node's update, as a table: who does them, for how long, where an error leads."""

from enum import StrEnum
from typing import Final

import msgspec

from roost_protocol.update import FailureType


class Step(StrEnum):
    """Where a node is; in this order when all goes well."""

    PRECHECK = "precheck"
    DOWNLOAD = "download"
    VERIFY = "verify"
    STAGED = "staged"  # waits for the site's word
    DRAIN = "drain"
    SWACT = "swact"
    LOCK = "lock"
    INSTALL = "install"
    REBOOT = "reboot"
    VERIFY_REBOOT = "verify_reboot"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    ROLLBACK_REBOOT = "rollback_reboot"
    VERIFY_ROLLBACK = "verify_rollback"
    UNLOCK = "unlock"
    CLEANUP = "cleanup"
    END = "end"


class Who(StrEnum):
    """Who says how a step went; nobody else is believed."""

    NODE = "node"
    HELPER = "helper"
    SITE = "site"


class Row(msgspec.Struct, frozen=True):
    """One step.

    Attributes:
        who: says how it went.
        deadline_s: until a timeout; 0: that of the job.
        error: the step after an error or a timeout.
        failure: of what type that is.
    """

    who: Who
    deadline_s: int
    error: Step
    failure: FailureType


_GIVE_UP: Final = Step.CLEANUP  # nothing of the system was touched
TABLE: Final = {
    Step.PRECHECK: Row(Who.NODE, 60, _GIVE_UP, FailureType.PRECHECK),
    Step.DOWNLOAD: Row(Who.NODE, 0, _GIVE_UP, FailureType.DOWNLOAD),
    Step.VERIFY: Row(Who.HELPER, 300, _GIVE_UP, FailureType.VERIFY),
    Step.STAGED: Row(Who.SITE, 0, _GIVE_UP, FailureType.TIMEOUT),
    Step.DRAIN: Row(Who.NODE, 1_800, Step.UNLOCK, FailureType.HEALTH),
    Step.SWACT: Row(Who.NODE, 120, Step.UNLOCK, FailureType.HEALTH),
    Step.LOCK: Row(Who.NODE, 300, Step.UNLOCK, FailureType.HEALTH),
    Step.INSTALL: Row(Who.HELPER, 1_800, Step.ROLLBACK, FailureType.INSTALL),
    Step.REBOOT: Row(Who.HELPER, 900, Step.ROLLBACK, FailureType.BOOT),
    Step.VERIFY_REBOOT: Row(Who.NODE, 600, Step.ROLLBACK, FailureType.HEALTH),
    Step.COMMIT: Row(Who.HELPER, 60, Step.ROLLBACK, FailureType.INSTALL),
    Step.ROLLBACK: Row(Who.HELPER, 1_800, Step.ROLLBACK, FailureType.INSTALL),
    Step.ROLLBACK_REBOOT: Row(Who.HELPER, 900, Step.ROLLBACK, FailureType.BOOT),
    Step.VERIFY_ROLLBACK: Row(Who.NODE, 600, Step.ROLLBACK, FailureType.HEALTH),
    Step.UNLOCK: Row(Who.NODE, 600, Step.CLEANUP, FailureType.HEALTH),
    Step.CLEANUP: Row(Who.HELPER, 300, Step.END, FailureType.INSTALL),
}
AFTER: Final = {  # where there is no choice
    Step.PRECHECK: Step.DOWNLOAD,
    Step.DOWNLOAD: Step.VERIFY,
    Step.VERIFY: Step.STAGED,
    Step.SWACT: Step.LOCK,
    Step.LOCK: Step.INSTALL,
    Step.REBOOT: Step.VERIFY_REBOOT,
    Step.VERIFY_REBOOT: Step.COMMIT,
    Step.ROLLBACK_REBOOT: Step.VERIFY_ROLLBACK,
    Step.UNLOCK: Step.CLEANUP,
    Step.CLEANUP: Step.END,
}
HARMLESS: Final = frozenset({Step.PRECHECK, Step.DOWNLOAD, Step.VERIFY, Step.STAGED})
BACK: Final = frozenset({Step.ROLLBACK, Step.ROLLBACK_REBOOT, Step.VERIFY_ROLLBACK})
REBOOTS: Final = frozenset({Step.REBOOT, Step.ROLLBACK_REBOOT})
