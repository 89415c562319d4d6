"""What a node remembers of orders: enough that none is done twice, and no more."""

import pytest
from orders import OrderPen

from roost_agent.orders.memory import KEPT, Memory, dump, load
from roost_protocol.errors import ProtocolError
from roost_protocol.order import read_order

PEN = OrderPen()


def order(number):
    return read_order(PEN.write(id=number.to_bytes(16, "big"), seq=number))


def test_what_is_kept_comes_back():
    memory = Memory(5).begun(order(7), bytes(16))
    assert load(dump(memory)) == memory
    assert memory.last_seq == 7
    assert memory.knows(order(7).id)
    assert not memory.knows(order(8).id)


def test_the_oldest_goes_but_never_one_that_runs():
    memory = Memory(0).begun(order(1), bytes(16))
    for number in range(2, KEPT + 10):
        memory = memory.begun(order(number), bytes(16)).ended(order(number).id)
    assert len(memory.taken) == KEPT
    assert memory.knows(order(1).id)
    assert not memory.knows(order(2).id)
    memory = memory.ended(order(1).id).begun(order(KEPT + 10), bytes(16))
    assert not memory.knows(order(1).id)


def test_bytes_that_make_no_sense_are_refused():
    with pytest.raises(ProtocolError):
        load(b"\x81\xa1x\x01")
