"""Whether a controller is that of the machine that is meant. Pure."""

from roost_agent.bmc.board import Board
from roost_agent.bmc.fault import BmcError, Fault
from roost_agent.bmc.talk import Known
from roost_agent.ha.fence.machine import is_same_machine


def check_machine(said: str, board: Board, known: Known) -> None:
    """See that a machine is the one that is meant, or that was learned.

    Raises:
        BmcError: ``machine``.
    """
    wanted = board.uuid or known.uuid
    if wanted and not is_same_machine(wanted, said):
        text = f"it controls machine {said[:45] or 'without a UUID'}, not {wanted}"
        raise BmcError(Fault.MACHINE, text)
