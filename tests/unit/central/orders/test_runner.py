"""Desk and runner on a real database and a real signer; the node is whoever reads what is sent."""

from dataclasses import dataclass, replace

import pytest
from ca import Pki, unlimited

from roost_agent.orders.verify import fault
from roost_central.access.chain import Act
from roost_central.enrol.states import Cause
from roost_central.enrol.states import State as IdentityState
from roost_central.orders.core import OrderMoveError, State
from roost_central.orders.desk import OPEN_OF_A_NODE_MAX, OrderDesk, OrderRefusedError, Wanted
from roost_central.orders.outcome import take_in
from roost_central.orders.runner import OrderRunner
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage import audit, claims, identities, orders, sites
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord
from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError
from roost_protocol.order import OrderKey, OrderState, OrderTold, read_order, read_signed

NODE = "lab.n1"
RESYNC = Wanted(NODE, "resync", {"what": "alarms"}, "", 600)
LOCK = Wanted(NODE, "host-lock", {"node": "n1"}, "a fan", 600)
IMAGE = {"node": "n2", "component": "os", "version": "2", "digest": "0a" * 32, "length": 3}
REINSTALL = Wanted(NODE, "host-reinstall", IMAGE, "broken", 900)
REBOOT = Wanted(NODE, "reboot", {}, "new kernel", 600)
IDENTITY = IdentityRecord(
    NODE, 1, 1, "ff", b"f", b"k", IdentityState.ACTIVE, 10**14, "{}", b"s", "pem", 1, 1
)


class TurnedClock(SystemClock):
    ahead_ms = 0

    def wall_ms(self):
        return super().wall_ms() + self.ahead_ms


@dataclass
class Office:
    database: Database
    clock: TurnedClock
    desk: OrderDesk
    runner: OrderRunner
    sent: list
    public: bytes

    async def place(self, wanted=RESYNC, who="ada"):
        return await self.desk.place(wanted, who, note)

    async def find(self, order):
        async with self.database.read() as connection:
            return await orders.find(connection, order.id)

    async def enrol(self, **changes):
        async with self.database.write() as connection:
            await identities.save(connection, replace(IDENTITY, **changes))


def note(after, _before):
    return Act(1, "ada", "operator", "order.test", after.id, {})


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"), unlimited())


@pytest.fixture
async def office(pki, tmp_path):
    clock, sent = TurnedClock(), []
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=clock)
    async with pki.serving() as signer:
        desk = OrderDesk(database, signer, clock, SystemEntropy())
        runner = OrderRunner(database, signer, clock, desk)
        runner.hears = lambda _node: 1
        runner.send = lambda node, message: sent.append((node, message)) or True
        office = Office(database, clock, desk, runner, sent, pki.ring().orders[-1].public)
        await office.enrol()
        yield office
    await database.close()


async def test_an_order_rests_from_the_transaction_on_that_puts_its_node_in_quarantine(office):
    placed = await office.place()
    await office.enrol(quarantine=Cause.CLONE)
    await office.runner.turn()
    assert (office.sent, await office.find(placed)) == ([], placed)
    await office.enrol()
    await office.runner.turn()
    assert len(office.sent) == 1


async def test_a_site_that_is_left_alone_takes_no_order_and_is_sent_none(office):
    placed = await office.place()
    office.desk.is_managed = lambda site: site != "lab"
    await office.runner.turn()
    assert office.sent == []
    with pytest.raises(OrderRefusedError, match="roost site manage lab"):
        await office.place()
    office.desk.is_managed = lambda _site: True
    await office.runner.turn()
    assert len(office.sent) == 1
    assert (await office.find(placed)).sends == 1


async def test_what_is_sent_is_what_was_ordered_under_the_signers_key(office):
    placed = await office.place()
    await office.runner.turn()
    [(node, message)] = office.sent
    assert node == NODE
    assert fault(message, (OrderKey(office.public),)) == ""
    order = read_order(read_signed(message).order)
    assert (order.id.hex(), order.given, order.by) == (placed.id, {"what": "alarms"}, "ada")
    async with office.database.read() as connection:
        [signing, _] = await audit.page(connection, before=None, limit=9)
    assert (signing.act.action, signing.act.detail["seq"]) == ("order.sign", order.seq)


async def test_numbers_rise_and_one_order_is_under_way(office):
    first, second = await office.place(), await office.place()
    await office.runner.turn()
    assert len(office.sent) == 1
    async with office.database.write() as connection:
        one = await orders.find(connection, first.id)
        await orders.save(connection, replace(one, state=State.DONE, ended_ms=1))
    await office.runner.turn()
    numbers = [read_order(read_signed(message).order).seq for _, message in office.sent]
    assert numbers == sorted(set(numbers))
    assert (await office.find(second)).sends == 1


async def test_a_centre_that_was_killed_after_it_numbered_signs_anew(office):
    placed = await office.place()
    async with office.database.write() as connection:
        await orders.save(connection, replace(placed, generation=1, seq=10**15))
    await office.runner.turn()
    assert (await office.find(placed)).seq == 10**15 + 1


async def test_a_node_that_is_not_heard_is_sent_nothing_and_its_order_expires(office):
    office.runner.hears = lambda _node: None
    placed = await office.place()
    await office.runner.turn()
    assert office.sent == []
    office.clock.ahead_ms = 601_000
    await office.runner.turn()
    assert (await office.find(placed)).code == "not-reached"


async def test_two_people_are_two_accounts(office):
    placed = await office.place(REBOOT)
    await office.runner.turn()
    assert (placed.state, office.sent) == (State.PENDING, [])
    with pytest.raises(OrderMoveError):
        await office.desk.approve(placed.id, "ada", note)
    await office.desk.approve(placed.id, "bob", note)
    await office.runner.turn()
    assert len(office.sent) == 1


async def test_the_signer_refuses_what_a_captured_centre_made_of_it(office):
    placed = await office.place(REBOOT)
    async with office.database.write() as connection:
        await orders.save(connection, replace(placed, state=State.READY))  # nobody approved
    await office.runner.turn()
    refused = await office.find(placed)
    assert (refused.state, refused.code, office.sent) == (State.REFUSED, "two", [])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": IdentityState.REVOKED}, "not enrolled"),
        ({"state": IdentityState.QUARANTINED, "quarantine": Cause.CLONE}, "in quarantine"),
    ],
)
async def test_a_node_without_a_good_identity_is_given_no_orders(office, changes, told):
    await office.enrol(**changes)
    with pytest.raises(OrderRefusedError, match=told):
        await office.place()


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (replace(RESYNC, verb="wipe"), "verb"),
        (replace(RESYNC, given={"what": "disks"}), "given"),
        (replace(REBOOT, reason=""), "reason"),
        (replace(RESYNC, life_s=90_000), "life"),
    ],
)
async def test_what_the_signer_would_refuse_is_refused_while_somebody_is_there(
    office, wanted, code
):
    with pytest.raises(ProtocolError) as refused:
        await office.place(wanted)
    assert refused.value.code == code


async def test_a_node_has_so_many_orders_and_no_more(office):
    for _ in range(OPEN_OF_A_NODE_MAX):
        await office.place()
    with pytest.raises(OrderRefusedError, match="the most it may"):
        await office.place()


async def test_an_act_on_a_host_is_not_done_to_the_box_that_replaced_it(office):
    placed, general = await office.place(LOCK), await office.place()
    replaced = {"generation": 2, "fingerprint": b"g", "key_hash": b"h", "serial": "fe"}
    later_ms = placed.placed_ms + 1
    await office.enrol(**replaced, box=2, issued_ms=later_ms)
    office.runner.hears = lambda _node: 2
    await office.runner.turn()
    refused = await office.find(placed)
    assert (refused.state, refused.code) == (State.REFUSED, "replaced")
    await office.runner.turn()
    assert (await office.find(general)).generation == 2


async def test_a_renewal_of_the_same_box_takes_what_was_ordered(office):
    placed = await office.place(LOCK)
    renewed = {"generation": 2, "fingerprint": b"g", "key_hash": b"h", "serial": "fe"}
    await office.enrol(**renewed, issued_ms=placed.placed_ms + 1)
    office.runner.hears = lambda _node: 2
    await office.runner.turn()
    assert (await office.find(placed)).sends == 1


BOX = {
    "node": "lab.n2", "serial": "e0", "fingerprint": b"1", "key_hash": b"1",
    "hardware": '{"serial": "SN2"}', "broker_certificate": "pem",
}  # fmt: skip


async def started(office):
    """A reinstall whose node has said that it started the machine; in UTC ms, when."""
    async with office.database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("lab", 1, {}, None, None, 1, 1)])
    placed = await office.place(REINSTALL)
    assert (placed.by_two, placed.state) == (True, State.PENDING)
    await office.desk.approve(placed.id, "bob", note)
    await office.runner.turn()
    word = OrderTold(
        v=1, id=bytes.fromhex(placed.id), seq=(await office.find(placed)).seq,
        state=OrderState.DONE, text="n2 was started",
    )  # fmt: skip
    office.clock.ahead_ms += 10
    at_ms = office.clock.wall_ms()
    async with office.database.write() as connection:
        await take_in(connection, NODE, encode(word), now_ms=at_ms)
    return placed, at_ms


async def test_a_host_is_installed_once_another_box_stands_in_its_slot(office):
    await office.enrol(**BOX)
    placed, at_ms = await started(office)
    async with office.database.read() as connection:
        [claim] = await claims.load_all(connection, limit=9)
        told = [row.act for row in await audit.page(connection, before=None, limit=9)]
    assert (claim.kind, claim.subject, claim.node, claim.replaces) == ("serial", "SN2", "n2", 1)
    assert (claim.broker, claim.auto_approve, claim.nodes_max) == (True, True, 1)
    assert claim.not_after_ms == at_ms + 14_400_000
    assert "node.replace" in [act.action for act in told]
    general = await office.place()
    await office.runner.turn()
    assert (await office.find(placed)).state is State.TAKEN
    assert (await office.find(general)).sends == 1, "who waits for a box takes other orders"
    renewed = {"generation": 2, "serial": "e1", "fingerprint": b"2", "key_hash": b"2"}
    await office.enrol(**BOX | renewed, issued_ms=at_ms + 1)
    await office.runner.turn()
    assert (await office.find(placed)).state is State.TAKEN, "it renewed, and is the same box"
    another = {"generation": 3, "serial": "e2", "fingerprint": b"3", "key_hash": b"3", "box": 2}
    await office.enrol(**BOX | another, issued_ms=at_ms + 2)
    await office.runner.turn()
    ended = await office.find(placed)
    assert (ended.state, ended.text) == (State.DONE, "n2 is enrolled again; n2 was started")


async def test_a_box_that_never_comes_back_is_a_failure_and_its_slot_is_shut_again(office):
    await office.enrol(**BOX)
    placed, _ = await started(office)
    office.clock.ahead_ms += 14_400_000
    await office.runner.turn()
    ended = await office.find(placed)
    assert (ended.state, ended.code) == (State.FAILED, "not-enrolled")
    async with office.database.read() as connection:
        [claim] = await claims.load_all(connection, limit=9)
    assert claim.not_after_ms <= office.clock.wall_ms()


async def test_a_box_that_is_awaited_can_be_given_up_and_its_slot_is_shut(office):
    await office.enrol(**BOX)
    placed, _ = await started(office)
    ended = await office.desk.cancel(placed.id, "the board is gone", note)
    assert ended.state is State.CANCELLED
    async with office.database.read() as connection:
        [claim] = await claims.load_all(connection, limit=9)
    assert claim.revoked_ms is not None


async def test_a_box_without_a_serial_number_waits_for_a_person(office):
    await office.enrol(**BOX | {"hardware": "{}"})
    await started(office)
    async with office.database.read() as connection:
        assert await claims.load_all(connection, limit=9) == []


async def test_a_reinstall_lives_a_quarter_of_an_hour(office):
    with pytest.raises(ProtocolError, match="900 s"):
        await office.place(replace(REINSTALL, life_s=901))
