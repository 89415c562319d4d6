"""Boxes that come together: they get what they would have got one by one, for less."""

import asyncio

from boxes import DeskBox
from sqlalchemy import event

from roost_central.enrol.claim_desk import NewClaim
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.states import State
from roost_central.storage import audit
from roost_central.storage.claims import ClaimType
from roost_protocol.enrol import Issued, Waiting
from roost_protocol.join_token import JoinToken, parse_token

ADDRESS = "192.0.2.7"


def crowd(size, **more):
    return [DeskBox(bytes([n]) * 32, **more) for n in range(size)]


async def together(office, boxes, token):
    """Ask for all of them at once; return each answer or the code of its refusal.

    The first has a turn of its own, the others the next one.
    """

    async def ask(box):
        try:
            return await office.desk.enrol(box.request(office.desk, token), ADDRESS)
        except RefusedError as err:
            return err.code

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask(box)) for box in boxes]
    return [task.result() for task in asked]


class Statements:
    """Counts what the database is asked."""

    def __init__(self, database):
        self.count = 0
        event.listen(database._engine.sync_engine, "before_cursor_execute", self)

    def __call__(self, *_):
        self.count += 1

    def taken(self):
        count, self.count = self.count, 0
        return count


async def test_boxes_that_come_together_get_what_they_would_have_got_one_by_one(office):
    token = await office.token(nodes_max=5)
    answers = await together(office, crowd(6), token)
    issued = [each for each in answers if isinstance(each, Issued)]
    assert sorted(each.node for each in issued) == ["n1", "n2", "n3"]
    assert len({each.certificate for each in issued}) == 3
    waiting = [each for each in answers if isinstance(each, Waiting)]
    assert {each.reason for each in waiting} == {"the site has no empty slot"}
    assert (len(waiting), answers.count("claim-spent")) == (2, 1)
    assert len(await office.queue.boxes([State.PENDING])) == 2
    assert len(await office.queue.boxes([State.ISSUED])) == 3
    async with office.database.read() as connection:
        acts = [row.act for row in await audit.after(connection, 0, 99)]
    assert sorted(act.object for act in acts if act.action == "enrol.approve") == [
        "lab.n1", "lab.n2", "lab.n3",
    ]  # fmt: skip


async def test_one_listed_number_is_one_box_also_of_many_that_say_it(office):
    token = await office.token(auto_approve=False, nodes_max=4)
    wanted = NewClaim("lab", "n3", kind=ClaimType.SERIAL, subject="S-77")
    await office.claims.make([wanted], "jd", office.note)
    answers = await together(office, crowd(4, serial="S-77"), token)
    assert [each.node for each in answers if isinstance(each, Issued)] == ["n3"]
    assert sum(isinstance(each, Waiting) for each in answers) == 3


async def test_who_shows_nothing_takes_nothing_from_who_comes_with_them(office):
    token = await office.token(nodes_max=2)
    right = parse_token(token)
    bad = str(JoinToken(right.claim, bytes(len(right.secret)), right.pin))
    good, strangers = crowd(2), [DeskBox(bytes([9, n]) * 16) for n in range(4)]

    async with asyncio.TaskGroup() as group:
        let_in = group.create_task(together(office, good, token))
        refused = group.create_task(together(office, strangers, bad))
    assert all(isinstance(each, Issued) for each in let_in.result())
    assert set(refused.result()) == {"claim-unknown"}


async def test_who_shows_nothing_is_told_so_while_somebody_else_writes(office, box):
    token = await office.token(nodes_max=2)
    right = parse_token(token)
    bad = str(JoinToken(right.claim, bytes(len(right.secret)), right.pin))
    assert await together(office, [DeskBox(b"2" * 32)], bad) == ["claim-unknown"]
    await together(office, [box], token)  # its secret is known now
    async with office.database.write(), asyncio.timeout(10):
        assert await together(office, [DeskBox(b"3" * 32)], bad) == ["claim-unknown"]


async def test_many_boxes_cost_few_statements_more_than_one(office):
    await office.add_site("big", *(f"n{n}" for n in range(20)))
    first, *others = crowd(17)
    tokens = [await office.token("big"), await office.token("big", nodes_max=16)]
    statements = Statements(office.database)
    await together(office, [first], tokens[0])
    alone = statements.taken()
    assert all(isinstance(each, Issued) for each in await together(office, others, tokens[1]))
    assert statements.taken() <= 3 * alone  # the first, and those who came meanwhile
