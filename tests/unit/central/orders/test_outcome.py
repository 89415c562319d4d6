"""A node's word on an order, in the transaction that takes it in."""

from dataclasses import replace

import pytest

from roost_central.orders.core import OrderRecord, State
from roost_central.orders.outcome import take_in
from roost_central.ports import SystemClock
from roost_central.storage import orders
from roost_central.storage.engine import Database
from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError
from roost_protocol.order import OrderState, OrderTold

ID = bytes(range(16))
ORDER = OrderRecord(
    id=ID.hex(), node="lab.n1", site="lab", verb="resync", given={"what": "all"}, reason="",
    by="ada", placed_ms=1, not_after_ms=10**13, state=State.READY, changed_ms=1, seq=7,
    generation=1, message=b"m",
)  # fmt: skip


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=SystemClock())
    async with database.write() as connection:
        await orders.save(connection, ORDER)
    yield database
    await database.close()


async def said(database, state, node="lab.n1", **more):
    word = OrderTold(v=1, **{"id": ID, "seq": 7, "state": state} | more)
    async with database.write() as connection:
        event = await take_in(connection, node, encode(word), now_ms=99)
        return event, await orders.find(connection, ID.hex())


async def test_it_is_taken_then_done_and_each_is_an_event(database):
    event, record = await said(database, OrderState.TAKEN)
    assert (record.state, event.params["state"]) == (State.TAKEN, "taken")
    event, record = await said(database, OrderState.DONE, text="told again")
    assert (record.state, event.text) == (State.DONE, "order resync by ada: done, told again")
    assert await said(database, OrderState.FAILED) == (None, record)


async def test_a_node_speaks_of_its_own_orders_alone(database):
    event, record = await said(database, OrderState.DONE, node="lab.n2")
    assert (event, record) == (None, ORDER)


async def test_what_a_node_refused_and_nobody_sent_is_told_as_that(database):
    event, record = await said(
        database, OrderState.REFUSED, id=b"x" * 16, code="signature", text="not of key"
    )
    assert record == ORDER
    assert (event.type, event.node) == ("200.811", "lab.n1")
    assert "did not send" in event.text
    assert (await said(database, OrderState.DONE, id=b"x" * 16))[0] is None


async def test_a_number_that_was_too_small_is_no_end(database):
    event, record = await said(database, OrderState.REFUSED, code="replayed")
    assert (event, record) == (None, replace(ORDER, message=b"", sent_ms=None))


async def test_what_cannot_be_read_is_refused(database):
    async with database.write() as connection:
        with pytest.raises(ProtocolError):
            await take_in(connection, "lab.n1", b"\x80", now_ms=1)
