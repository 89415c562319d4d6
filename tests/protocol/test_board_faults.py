from roost_agent.bmc.fault import Fault
from roost_protocol.board_faults import TODO, todo


def test_for_each_fault_there_is_something_to_do():
    assert {str(each) for each in Fault} <= TODO.keys()
    assert todo("tls: it is another") == TODO["tls"]
    assert (todo(""), todo("no such: word")) == ("", "")
