"""Factory certificates at the desk: a real database and signer, and rules of a configuration."""

import asyncio

import msgspec
import pytest
from boxes import DeskBox
from maker import Maker, rsa_key

from roost_agent.enrol.factory import Factory
from roost_central.enrol.desk import Desk
from roost_central.enrol.factory import Makers
from roost_central.enrol.issue import Issuer
from roost_central.enrol.queue import Approval, Queue
from roost_central.enrol.rules import Rule
from roost_central.enrol.states import Event, State
from roost_central.fleet.restore import restore
from roost_central.storage import audit, enrolments, identities
from roost_protocol.enrol import Issued, Waiting
from roost_protocol.errors import ProtocolError
from roost_protocol.hardware import Hardware

ADDRESS = "192.0.2.7"
ACME = Rule("acme-lab", "lab", maker="acme", serial="AC-7*", labels=(("wave", "2"),))
LISTED = Rule("listed", "lab", serials=frozenset({"S-1"}), firmware_min="1.10")


@pytest.fixture(scope="module")
def maker():
    return Maker()


@pytest.fixture
def desk(office, maker):
    fleet = office.desk.fleet
    return Desk(
        office.database, office.view, office.clock, office.desk._entropy, fleet=fleet,
        issuer=Issuer(office.database, office.signer, office.clock, fleet), nonce_key=b"k" * 32,
        makers=Makers([("acme", [maker.certificate])]), rules=(ACME, LISTED),
    )  # fmt: skip


def factory(maker, serial="AC-7001", **more):
    key, chain = maker.box(serial, **more)
    return Factory(chain, key)


async def asked(desk, box, of):
    return await desk.enrol(box.vouched(desk, of), ADDRESS)


async def ended(office, node, event):
    async with office.database.write() as connection:
        for row in await identities.of_node(connection, node):
            await identities.happen(connection, row, event, now_ms=1, reason="so")


@pytest.mark.parametrize("key", [None, rsa_key()], ids=["ec", "rsa"])
async def test_a_factory_certificate_and_a_rule_let_a_box_in(office, desk, box, maker, key):
    issued = await asked(desk, box, factory(maker, key=key))
    assert isinstance(issued, Issued)
    assert (issued.site, issued.node) == ("lab", "n1")
    async with office.database.read() as connection:
        [entry] = await audit.after(connection, 0, 10)
    assert (entry.act.actor, entry.act.object) == ("rule:acme-lab", "lab.n1")


async def test_the_node_gets_the_labels_of_the_rule_beside_those_that_it_has(
    office, desk, box, maker
):
    office.view.nodes["lab.n1"].labels = {"rack": "7", "wave": "1"}
    revision = office.view.sites["lab"].revision
    await asked(desk, box, factory(maker))
    assert office.view.nodes["lab.n1"].labels == {"rack": "7", "wave": "2"}
    assert office.view.nodes["lab.n2"].labels == {}
    assert office.view.sites["lab"].revision == revision + 1
    async with office.database.read() as connection:
        kept = await restore(connection)
    assert kept.nodes["lab.n1"].labels == {"rack": "7", "wave": "2"}
    assert kept.sites["lab"].revision == revision + 1


async def test_who_comes_by_another_way_than_the_rule_gets_none_of_its_labels(
    office, desk, box, maker
):
    await asked(desk, box, factory(maker, "ZZ-1"))
    assert {str(node.labels) for node in office.view.nodes.values()} == {"{}"}


async def test_a_box_that_a_rule_means_gets_its_labels_also_when_a_human_lets_it_in(
    office, desk, maker
):
    queue = Queue(office.database, office.view, office.clock, (ACME, LISTED))
    boxes = [DeskBox(bytes([n]) * 32) for n in range(5)]
    for number, box in enumerate(boxes):
        answer = await asked(desk, box, factory(maker, f"AC-700{number}"))
    assert answer.reason == "the site has no empty slot"
    fourth, fifth = await queue.boxes([State.PENDING])
    assert fourth.decided_by == "rule:acme-lab"
    await office.add_site("shop")
    await queue.approve(fourth.id, Approval("lab", "n4"), "jd", office.note)
    await queue.approve(fifth.id, Approval("shop", "n1"), "jd", office.note)
    assert office.view.nodes["lab.n4"].labels == {"wave": "2"}
    assert office.view.nodes["shop.n1"].labels == {}  # the rule is of another site
    async with office.database.read() as connection:
        kept = await restore(connection)
    assert kept.nodes["lab.n4"].labels == {"wave": "2"}
    assert (await desk.ask(answer.ticket)).node == "n1"


async def test_it_gets_the_same_when_it_lost_the_reply(desk, box, maker):
    of = factory(maker)
    assert await asked(desk, box, of) == await asked(desk, box, of)


async def test_a_box_that_no_rule_means_waits_and_a_human_places_it(office, desk, box, maker):
    answer = await asked(desk, box, factory(maker, "ZZ-1"))
    assert isinstance(answer, Waiting)
    assert answer.reason == "acme vouches for ZZ-1; no rule says where it belongs"
    [waiting] = await office.queue.boxes([State.PENDING])
    await office.queue.approve(waiting.id, Approval("lab", "n2"), "jd", office.note)
    assert (await desk.ask(answer.ticket)).node == "n2"


async def test_one_factory_key_is_one_box_until_that_is_out(office, desk, maker):
    of = factory(maker)
    first, second, third = (DeskBox(bytes([n]) * 32) for n in range(3))
    assert (await asked(desk, first, of)).node == "n1"
    answer = await asked(desk, second, of)
    assert isinstance(answer, Waiting)
    assert "that box is lab.n1 already" in answer.reason
    await ended(office, "lab.n1", Event.REVOKE)
    assert (await asked(desk, third, of)).site == "lab"


async def test_a_certificate_without_its_key_proves_nothing(office, desk, box, maker):
    mine, other = factory(maker), factory(maker)
    request = box.vouched(desk, Factory(mine.chain, other.key))
    with pytest.raises(ProtocolError, match="the factory key did not sign"):
        await desk.enrol(request, ADDRESS)
    async with office.database.read() as connection:
        assert await enrolments.count(connection, State.PENDING) == 0


async def test_a_signature_of_another_request_proves_nothing(desk, box, maker):
    of = factory(maker)
    other = DeskBox(b"o" * 32).vouched(desk, of)
    mine = box.vouched(desk, of)
    with pytest.raises(ProtocolError, match="the factory key did not sign"):
        await desk.enrol(msgspec.structs.replace(mine, proof=other.proof), ADDRESS)


async def test_the_number_that_counts_is_the_makers_word(desk, box, maker):
    box.hardware = Hardware(serial="AC-7001")
    assert isinstance(await asked(desk, box, factory(maker, "ZZ-1")), Waiting)


@pytest.mark.parametrize(
    ("said", "node"),
    [(("S-1", "1.10"), "n1"), (("S-1", "1.9"), ""), (("S-1", ""), ""), (("S-2", "1.10"), "")],
)
async def test_a_list_and_a_firmware_let_in_by_a_token(office, desk, box, said, node):
    token = await office.token(auto_approve=False)
    box.hardware = Hardware(serial=said[0], firmware=said[1])
    answer = await desk.enrol(box.request(desk, token), ADDRESS)
    assert getattr(answer, "node", "") == node


async def test_what_a_box_says_of_itself_lets_nobody_in_without_a_token(desk, box):
    box.hardware = Hardware(serial="S-1", firmware="9")
    answer = await desk.enrol(box.request(desk), ADDRESS)
    assert isinstance(answer, Waiting)


async def test_another_makers_word_is_refused_with_what_to_do(office, box, maker):
    with pytest.raises(ProtocolError, match=r"write \[\[enrol.maker\]\]"):
        await office.desk.enrol(box.vouched(office.desk, factory(maker)), ADDRESS)


async def test_one_factory_key_is_one_box_also_of_two_that_come_together(office, desk, maker):
    of = factory(maker)
    boxes = [DeskBox(bytes([n]) * 32) for n in range(4)]
    async with asyncio.TaskGroup() as group:  # the first has a turn of its own
        group.create_task(desk.enrol(DeskBox(b"o" * 32).request(desk), ADDRESS))
        tasks = [group.create_task(asked(desk, each, of)) for each in boxes]
    answers = [task.result() for task in tasks]
    assert [each.node for each in answers if isinstance(each, Issued)] == ["n1"]
    reasons = {each.reason for each in answers if isinstance(each, Waiting)}
    assert reasons == {"acme vouches for AC-7001; that box is lab.n1 already"}
