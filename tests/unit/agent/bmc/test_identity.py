import uuid

import pytest

from roost_agent.bmc.board import Board
from roost_agent.bmc.fault import BmcError, Fault
from roost_agent.bmc.identity import check_machine
from roost_agent.bmc.talk import Known

ONE = "4c4c4544-0042-3510-8051-c4c04f4d4e32"
OTHER = "4c4c4544-0042-3510-8051-c4c04f4d4e33"


def board(**said):
    return Board(node="n1", host="b1", **said)


def test_the_machine_that_is_meant_is_known_in_either_order_of_its_bytes():
    check_machine(ONE, board(uuid=ONE), Known(uuid=OTHER))
    check_machine(str(uuid.UUID(bytes_le=uuid.UUID(ONE).bytes)), board(uuid=ONE), Known())
    check_machine(ONE, board(), Known(uuid=ONE))
    check_machine("", board(), Known())


@pytest.mark.parametrize("said", [OTHER, "", "x"])
def test_another_machine_than_was_meant_or_learned_is_refused(said):
    for meant, known in ((board(uuid=ONE), Known()), (board(), Known(uuid=ONE))):
        with pytest.raises(BmcError, match="it controls machine") as told:
            check_machine(said, meant, known)
        assert told.value.fault is Fault.MACHINE
