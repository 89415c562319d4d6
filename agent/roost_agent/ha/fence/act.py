"""What is being done about one node that should be off."""

from enum import StrEnum

from roost_agent.ha.fence.event import Case


class Phase(StrEnum):
    """Where an act is, as a person is told."""

    ASK = "asks the owner to stop"
    READ = "reads its power"
    CONFIRM = "reads its power again"
    COUNT = "counts the attempt"
    CUT = "switches it off"
    WAIT = "waits until it is off"
    CONFIRM_CUT = "reads again that it is off"
    HELD = "keeps it off"
    LIFT = "switches it on"
    LIFTED = "waits until it is on"


FREE = frozenset({Phase.ASK, Phase.READ, Phase.CONFIRM, Phase.COUNT})  # nothing was done to it yet


class Act:
    """See the module.

    Args:
        case: why.
        leases: that wait for its end.
        due_ms: when its power is first read.

    Attributes:
        due_ms: when the next step is; None while an answer is waited for.
        token: of the answer that is waited for.
        until_ms: of what is waited for by readings.
        fault: why the last attempt did not go well; of a node that is off, how that is known.
        is_new: nothing was done about it before.
    """

    __slots__ = (
        "attempts", "case", "due_ms", "fault", "is_new", "leases", "phase", "token", "until_ms",
    )  # fmt: skip

    def __init__(self, case: Case, leases: frozenset[str], due_ms: int) -> None:
        self.case = case
        self.leases = leases
        self.phase = Phase.ASK
        self.due_ms: int | None = due_ms
        self.token = 0
        self.until_ms = due_ms
        self.attempts = 0
        self.fault = ""
        self.is_new = True

    @property
    def node(self) -> int:
        """Whom it is about."""
        return self.case.node

    def is_about(self, case: Case) -> bool:
        """Whether a case is about the same boot of the same node."""
        return (case.node, case.boot) == (self.node, self.case.boot)


def lifting(node: int, now_ms: int) -> Act:
    """Return the act of switching on what was left off."""
    case = Case("", node, 0, b"", is_heard=False, may_off=False, wait_ms=0)
    act = Act(case, frozenset(), now_ms)
    act.phase = Phase.LIFT
    return act
