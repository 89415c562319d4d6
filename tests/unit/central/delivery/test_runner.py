"""Nodes are brought what they should be, over a real database and a real signer."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from ca import Pki, unlimited
from migrated import database_url

from roost_agent.orders.verify import fault
from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import load as load_catalogue
from roost_central.delivery.bodies import Bodies
from roost_central.delivery.core import SLOT_MS, Outcome
from roost_central.delivery.first import FirstSettings
from roost_central.delivery.late import LATE_MS
from roost_central.delivery.runner import DeliveryRunner
from roost_central.enrol.states import State as IdentityState
from roost_central.fleet.view import FleetView
from roost_central.orders import outcome
from roost_central.orders.desk import OrderDesk
from roost_central.orders.desk import Wanted as WantedOrder
from roost_central.orders.runner import OrderRunner
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.profiles.change import Wanted
from roost_central.profiles.desk import Approval, ProfileDesk
from roost_central.signer.client import Signer
from roost_central.storage import delivery, identities, nodes, orders, sites
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord
from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError
from roost_protocol.order import (
    OrderKey,
    OrderState,
    OrderTold,
    body_digest,
    check_body,
    read_order,
    read_signed,
)
from roost_protocol.order_verbs import act_of
from roost_protocol.profile.document import decode_settings

NODES = ("a.n1", "a.n2", "b.n1")


class TurnedClock(SystemClock):
    ahead_ms = 0

    def wall_ms(self):
        return super().wall_ms() + self.ahead_ms

    def mono_ms(self):
        return super().mono_ms() + self.ahead_ms


@dataclass
class Box:
    """A node: takes what is sent, and says what it has."""

    office: "Office"
    node: str
    signed: object = None
    settings: dict = field(default_factory=dict)

    def hear(self, message):
        assert fault(message, (OrderKey(self.office.public),)) == ""
        self.signed = read_signed(message)
        self.order = read_order(self.signed.order)
        check_body(act_of(self.order.verb, self.order.given), self.signed.body)

    async def tell(self, state, code="", text=""):
        said = OrderTold(
            v=1, id=self.order.id, seq=self.order.seq, state=state, code=code, text=text
        )
        async with self.office.database.write() as connection:
            now_ms = self.office.clock.wall_ms()
            await outcome.take_in(connection, self.node, encode(said), now_ms=now_ms)

    def beat(self, digest="", generation=None):
        config = self.office.view.nodes[self.node].config
        config.applied_digest = digest or body_digest(self.signed.body)[:16]
        config.applied_gen = int(self.order.given["desired"]) if generation is None else generation
        self.office.view.touch_node(self.node)

    async def apply(self):
        self.settings = decode_settings(self.signed.body)
        await self.tell(OrderState.TAKEN)
        await self.tell(OrderState.DONE)
        self.beat()


class Office:
    def __init__(self, database, view, clock, signer, public):
        self.database, self.view, self.clock = database, view, clock
        self.book = AlarmBook(load_catalogue(()), view, database, clock)
        self.public = public
        self.boxes = {node: Box(self, node) for node in view.nodes}
        self.heard = dict.fromkeys(view.nodes, 1)
        self.sent = []
        entropy = SystemEntropy()
        self.profiles = ProfileDesk(database, view, clock)
        self.orders = OrderRunner(
            database, signer, clock, OrderDesk(database, signer, clock, entropy)
        )
        self.orders.hears = self.heard.get
        self.orders.send = self.send
        self.orders.body_of = Bodies().of
        self.entropy = entropy
        self.begin()

    def begin(self):
        """Begin a centre over what is stored."""
        self.runner = DeliveryRunner(self.database, self.view, self.book, self.clock, self.entropy)
        self.runner.hears = self.heard.get
        self.profiles.on_changed = self.runner.desired_changed

    def send(self, node, message):
        self.sent.append(node)
        self.boxes[node].hear(message)
        return True

    async def profile(self, swappiness, name="all", target="fleet = true"):
        settings = f'[kernel.sysctl]\n"vm.swappiness" = {swappiness}\n'
        source = f'[profile]\nname = "{name}"\n{target}\n{settings}'
        await self.profiles.apply(
            Wanted([("f.toml", source)]), lambda _: None, Approval("ann", ""), note
        )

    async def turn(self, times=1):
        for _ in range(times):
            await self.look()
            await self.orders.turn()

    async def look(self):
        with self.view.listen() as changes:
            for node in self.view.nodes:
                self.view.touch_node(node)
            await self.runner.turn(changes)

    def states(self):
        return {node: row.config.state for node, row in self.view.nodes.items()}

    async def open_orders(self):
        async with self.database.read() as connection:
            return await orders.load_open(connection, limit=99)


def note(_plan):
    return Act(1, "ann", "admin", "profile.apply", "profiles", {})


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"), unlimited())


@pytest.fixture
async def office(pki, tmp_path):
    clock = TurnedClock()
    database = await Database.open(database_url(tmp_path), clock=clock)
    view = FleetView()
    async with database.write() as connection:
        for node in NODES:
            site, name = node.split(".")
            if site not in view.sites:
                view.add_site(site, 1)
                record = sites.SiteRecord(site, 1, {}, None, None, 1, 1)
                await sites.save(connection, [record])
            row = view.add_node(node, site, name)
            row.presence, row.config.applied_digest, row.config.applied_gen = "online", "0" * 16, 0
            await nodes.save(connection, [nodes.NodeRecord(node, site, name, 1)])
            key = node.encode()
            identity = IdentityRecord(
                node, 1, 1, "ff", key, key, IdentityState.ACTIVE, 10**14, "{}", b"s", "pem", 1, 1
            )
            await identities.save(connection, identity)
    async with pki.serving() as signer:
        office = Office(database, view, clock, signer, pki.ring().orders[-1].public)
        async with database.read() as connection:
            await office.book.load(connection)
        yield office
    await database.close()


async def test_nodes_get_their_settings_one_of_a_site_after_the_other_and_say_that_they_have_them(
    office,
):
    await office.profile(10)
    await office.turn()
    assert sorted(node.partition(".")[0] for node in office.sent) == ["a", "b"]
    first, *_ = (node for node in office.sent if node.startswith("a."))
    assert office.boxes[first].order.given["desired"] == "1"
    for node in list(office.sent):
        await office.boxes[node].apply()
    assert office.boxes[first].settings == {"kernel": {"sysctl": {"vm.swappiness": 10}}}
    await office.turn(2)
    other = ({"a.n1", "a.n2"} - {first}).pop()
    assert office.states()[first] == office.states()["b.n1"] == "in-sync"
    assert office.states()[other] == "applying"
    await office.boxes[other].apply()
    await office.turn(2)
    assert set(office.states().values()) == {"in-sync"}
    assert len(office.sent) == 3
    assert await office.open_orders() == []


async def test_a_dark_node_is_told_nothing_and_the_newest_document_when_it_is_back(office):
    office.heard["b.n1"] = None
    await office.profile(10)
    await office.profile(20)
    await office.turn(3)
    assert "b.n1" not in office.sent
    assert office.states()["b.n1"] == "pending"
    assert not [order for order in await office.open_orders() if order.node == "b.n1"]
    office.heard["b.n1"] = 1
    await office.turn()
    assert office.boxes["b.n1"].order.given["desired"] == "2"
    assert office.sent.count("b.n1") == 1


async def test_a_newer_document_takes_the_place_of_one_that_waits(office):
    office.orders.send = lambda _node, _message: False
    await office.profile(10)
    await office.turn()
    before = {order.id for order in await office.open_orders()}
    office.orders.send = office.send
    await office.profile(20)
    await office.turn(3)
    async with office.database.read() as connection:
        found = await orders.by_ids(connection, before)
    assert {str(order.state) for order in found.values()} == {"cancelled"}
    assert {office.boxes[node].order.given["desired"] for node in office.sent} == {"2"}


async def test_what_a_node_refused_rests_until_another_document_is_wanted(office):
    await office.profile(10, "b", 'site = "b"')
    await office.turn()
    await office.boxes["b.n1"].tell(OrderState.REFUSED, "value", "no such sysctl here")
    await office.turn(3)
    config = office.view.nodes["b.n1"].config
    assert (config.state, config.why) == ("failed", "no such sysctl here")
    assert office.sent == ["b.n1"]
    await office.profile(20, "b", 'site = "b"')
    await office.turn()
    assert office.sent == ["b.n1", "b.n1"]


async def test_a_centre_that_was_killed_goes_on_where_it_was(office):
    await office.profile(10, "b", 'site = "b"')
    await office.turn()
    await office.boxes["b.n1"].tell(OrderState.REFUSED, "value", "no")
    office.begin()
    await office.turn(3)
    assert (office.sent, office.states()["b.n1"]) == (["b.n1"], "failed")
    async with office.database.read() as connection:
        attempts = await delivery.load(connection)
    assert (attempts["b.n1"].outcome, attempts["b.n1"].tries) == (Outcome.FAILED, 1)


async def test_the_alarm_comes_after_five_minutes_and_goes_with_the_beat_that_is_equal(office):
    async def alarms():
        await office.book.change(list)
        return [row.node for row in office.book.open_alarms() if row.type == "250.001"]

    await office.profile(10, "b", 'site = "b"')
    await office.turn()
    office.clock.ahead_ms = LATE_MS + 1
    await office.turn()
    assert await alarms() == ["b.n1"]
    await office.boxes["b.n1"].tell(OrderState.TAKEN)
    await office.boxes["b.n1"].tell(OrderState.DONE)
    await office.turn()
    assert await alarms() == ["b.n1"]
    office.boxes["b.n1"].beat()
    await office.turn()
    assert await alarms() == []


async def test_people_do_not_order_it(office):
    given = {"digest": "0" * 64, "desired": "1"}
    with pytest.raises(ProtocolError, match="the centre's own"):
        await office.orders.desk.place(
            WantedOrder("b.n1", "configure", given, "", 600), "ann", lambda *_: note(None)
        )


async def test_a_box_gets_its_settings_with_its_identity_and_the_same_again_where_that_was_lost(
    office,
):
    await office.profile(10, "b", 'site = "b"')
    first = FirstSettings(office.profiles, office.runner, office.orders)
    message = await first.of("b.n1", 1)
    office.boxes["b.n1"].hear(message)
    assert office.boxes["b.n1"].order.given["desired"] == "1"
    assert await first.of("b.n1", 1) == message
    assert len(await office.open_orders()) == 1
    assert await first.of("a.n1", 1) == b""


async def test_labels_that_a_rule_gives_a_box_count_for_its_first_settings(office):
    await office.profile(10)
    await office.profile(30, "edge", 'select = "label.tier:edge"\nnothing = true')
    await office.look()  # what the slot should be is known, before there is a box
    office.view.nodes["b.n1"].labels = {"tier": "edge"}
    message = await FirstSettings(office.profiles, office.runner, office.orders).of("b.n1", 1)
    office.boxes["b.n1"].hear(message)
    settings = decode_settings(office.boxes["b.n1"].signed.body)
    assert settings == {"kernel": {"sysctl": {"vm.swappiness": 30}}}


async def test_the_box_after_one_that_never_said_how_it_ended_is_told_anew(office):
    await office.profile(10, "b", 'site = "b"')
    first = FirstSettings(office.profiles, office.runner, office.orders)
    office.boxes["b.n1"].hear(await first.of("b.n1", 1))
    await office.boxes["b.n1"].tell(OrderState.TAKEN)
    async with office.database.write() as connection:
        identity = await identities.find(connection, "b.n1", 1)
        key = b"another"
        await identities.save(
            connection, replace(identity, generation=2, fingerprint=key, key_hash=key)
        )
    office.boxes["b.n1"].hear(await first.of("b.n1", 2))
    assert office.boxes["b.n1"].order.generation == 2
    assert len(await office.open_orders()) == 1


async def test_a_signer_that_is_away_keeps_no_box_out(office):
    await office.profile(10, "b", 'site = "b"')
    office.orders._signer = Signer(Path("/nonexistent"))
    assert await FirstSettings(office.profiles, office.runner, office.orders).of("b.n1", 1) == b""
    [order] = await office.open_orders()
    assert order.node == "b.n1"


async def test_while_a_node_tries_its_settings_the_other_ones_of_its_site_wait(office):
    await office.profile(10, "a", 'site = "a"')
    await office.turn()
    [first] = office.sent
    box = office.boxes[first]
    await box.tell(OrderState.TAKEN)
    await box.tell(OrderState.DONE, "trial", "the agent was restarted with it, and tries it")
    await office.turn()
    assert office.sent == [first]
    box.beat()
    await office.turn(2)
    assert len(office.sent) == 2


async def test_a_silent_node_keeps_the_other_one_of_its_site_waiting_for_a_while_only(office):
    await office.profile(10, "a", 'site = "a"')
    await office.turn()
    [first] = office.sent
    await office.boxes[first].tell(OrderState.TAKEN)
    await office.turn(2)
    assert [order.node for order in await office.open_orders()] == [first]
    office.clock.ahead_ms = SLOT_MS + 1
    await office.look()
    assert {order.node for order in await office.open_orders()} == {"a.n1", "a.n2"}
