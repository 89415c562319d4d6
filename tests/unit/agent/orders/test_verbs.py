"""The acts of orders: each on a small node that notes what it was asked."""

import asyncio
from types import SimpleNamespace

import pytest
from orders import OrderPen

from roost_agent.control.message import Answer, HaMaintenance, HaMayGoDown, HaSwitchover
from roost_agent.orders.memory import Taken
from roost_agent.orders.verbs import HANDLERS, reboot
from roost_agent.orders.verbs.handler import ActError, LaterError, Placed
from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError
from roost_protocol.order import SignedOrder, body_digest, check_body, read_order
from roost_protocol.order_verbs import VERBS, act_of

PEN = OrderPen()
JOB = "0a" * 16


class SmallNode:
    boot_id = b"b" * 16
    generation = 2

    def __init__(self, answer=None, *, has_ha=False):
        self.asked = []
        self.has_ha = has_ha
        self.answer = answer or Answer(result={"sentence": "n2 takes it next"})

    async def look(self, classes):
        self.asked.append(classes)
        return "looked"

    def say_again(self, what):
        self.asked.append(what)

    def ask_ha(self, request):
        self.asked.append(request)
        return self.answer

    async def renew(self):
        self.asked.append("renew")

    async def reboot(self, reason, nonce):
        self.asked.append((reason, nonce))

    settings_digest = "0a" * 32
    settings_tried = "0c" * 32

    async def configure(self, placed, digest):
        self.asked.append((placed.message, digest))
        return "applied"

    async def act_on_board(self, node, verb, *, expect, force):
        self.asked.append((node, verb, expect, force))
        return "read"

    async def reinstall(self, given):
        self.asked.append(given)
        return "started"

    async def take_boards(self, sealed):
        self.asked.append(sealed)
        return "board controllers of the centre: n2"

    async def test_board(self, node):
        self.asked.append(("test", node))
        return "n2: E1"

    async def relearn_board(self, node):
        self.asked.append(("relearn", node))
        return "n2: E1"

    async def take_update(self, job, attempt, body):
        self.asked.append((job, attempt, body))
        return "accepted"

    async def cancel_update(self, job):
        self.asked.append(job)
        return "asked to end"

    def has_update(self, job, attempt):
        return (job, attempt) == (JOB, 1)


async def done(node, verb, reason="", **given):
    raw = PEN.write(verb=verb, given=given, reason=reason, approved_by="bob")
    placed = Placed(read_order(raw), raw)
    return await HANDLERS[verb].act(act_of(verb, given), placed, node)


def test_every_verb_of_the_list_has_its_act():
    assert HANDLERS.keys() == VERBS.keys()
    assert all(handler.verb == verb for verb, handler in HANDLERS.items())


async def test_each_act_asks_the_node_for_what_the_order_says():
    node = SmallNode()
    assert await done(node, "refresh-inventory", classes="cpu,nic") == "looked"
    await done(node, "refresh-inventory")
    assert "alarms and inventory" in await done(node, "resync")
    await done(node, "renew-identity")
    assert await done(node, "ha-switchover", group="db") == "n2 takes it next"
    await done(node, "ha-switchover", group="db", to="n3")
    await done(node, "ha-maintenance", group="db", seconds=60)
    assert node.asked == [
        ["cpu", "nic"], [], "alarms", "inventory", "renew", HaSwitchover("db", None),
        HaSwitchover("db", "n3"), HaMaintenance("db", 60),
    ]  # fmt: skip


async def test_the_power_of_a_host_is_a_matter_of_its_board_controller():
    node = SmallNode()
    verbs = ("power-on", "power-off", "power-cycle", "reset")
    for verb in verbs:
        given = {"expect": "locked/disabled/online", "node": "n2"}
        raw = PEN.write(verb=f"host-{verb}", given=given, reason="it hangs", approved_by="bob")
        placed = Placed(read_order(raw), raw)
        act = act_of(f"host-{verb}", given)
        assert await HANDLERS[f"host-{verb}"].act(act, placed, node) == "read"
    assert node.asked == [("n2", verb, "locked/disabled/online", False) for verb in verbs]


async def test_settings_are_applied_by_the_message_that_was_signed():
    node = SmallNode()
    assert await done(node, "configure", desired="7", digest="0b" * 32) == "applied"
    [(message, digest)] = node.asked
    assert read_order(message).verb == "configure"
    assert digest == "0b" * 32


def test_settings_that_are_applied_after_a_restart_were_applied():
    def resumed(digest):
        before = Taken(bytes(16), 1, "configure", {"digest": digest}, b"b" * 16, 2)
        return HANDLERS["configure"].resumed(before, SmallNode())

    assert resumed("0a" * 32) == "applied"
    with pytest.raises(ActError, match="other settings"):
        resumed("0b" * 32)
    with pytest.raises(LaterError, match="tries it"):
        resumed("0c" * 32)


async def test_the_body_of_an_offer_is_taken_up_and_its_job_given_up():
    node = SmallNode()
    given = {"attempt": 1, "digest": body_digest(b"offer"), "job": JOB}
    raw = PEN.write(verb="update-offer", given=given)
    signed = SignedOrder(v=1, key_id="0" * 16, signature=bytes(64), order=raw, body=b"offer")
    placed = Placed(read_order(raw), encode(signed))
    act = act_of("update-offer", given)
    assert await HANDLERS["update-offer"].act(act, placed, node) == "accepted"
    assert await done(node, "update-cancel", job=JOB) == "asked to end"
    assert node.asked == [(JOB, 1, b"offer"), JOB]


def test_an_offer_is_taken_up_where_the_journal_has_it_after_a_restart():
    def resumed(job):
        before = Taken(bytes(16), 1, "update-offer", {"job": job, "attempt": 1}, b"b" * 16, 2)
        return HANDLERS["update-offer"].resumed(before, SmallNode())

    assert resumed(JOB) == "accepted"
    with pytest.raises(ActError, match="before the job"):
        resumed("0d" * 16)


async def test_sealed_boards_are_taken_and_a_controller_is_tested_or_learned_anew():
    node = SmallNode()
    digest = body_digest(b"sealed")
    raw = PEN.write(verb="set-boards", given={"digest": digest}, reason="")
    signed = SignedOrder(v=1, key_id="0" * 16, signature=bytes(64), order=raw, body=b"sealed")
    placed = Placed(read_order(raw), encode(signed))
    act = act_of("set-boards", {"digest": digest})
    check_body(act, b"sealed")
    with pytest.raises(ProtocolError):
        check_body(act, b"another")
    assert await HANDLERS["set-boards"].act(act, placed, node)
    for verb in ("test-board", "relearn-board"):
        asked = act_of(verb, {"node": "n2"})
        assert await HANDLERS[verb].act(asked, placed, node) == "n2: E1"
    assert node.asked == [b"sealed", ("test", "n2"), ("relearn", "n2")]
    with pytest.raises(ActError, match="told again"):
        HANDLERS["set-boards"].resumed(taken("set-boards"), node)


async def test_local_ha_refuses_an_order_as_it_refuses_a_person():
    node = SmallNode(Answer(error="db does not run here but on n2: order it there"))
    with pytest.raises(ActError, match="order it there") as refused:
        await done(node, "ha-switchover", group="db")
    assert refused.value.code == "ha"


@pytest.fixture
def at_once(monkeypatch):
    async def sleep(_seconds):
        return None

    monkeypatch.setattr(reboot, "asyncio", SimpleNamespace(sleep=sleep))


BY_HELPER = ("new kernel (ada and bob)", "00" * 16)


@pytest.mark.usefixtures("at_once")
async def test_a_reboot_that_does_not_come_has_failed():
    node = SmallNode()
    with pytest.raises(ActError, match="no reboot"):
        await done(node, "reboot", reason="new kernel")
    assert node.asked == [BY_HELPER]


def may_go_down(verdict, sentence):
    return Answer(result={"verdict": verdict, "sentence": sentence, "moves": {}})


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (may_go_down("no", "no: db runs here and nobody could take it"), "nobody could take it"),
        (Answer(error="local HA has ended"), "local HA has ended"),
    ],
)
async def test_a_node_that_its_site_cannot_spare_is_not_rebooted(answer, said):
    node = SmallNode(answer, has_ha=True)
    with pytest.raises(ActError, match=said) as refused:
        await done(node, "reboot", reason="new kernel")
    assert refused.value.code == "ha"
    assert node.asked == [HaMayGoDown()]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("verdict", ["yes", "after transfer"])
async def test_a_node_that_its_site_can_spare_is_rebooted(verdict):
    node = SmallNode(may_go_down(verdict, verdict), has_ha=True)
    with pytest.raises(ActError, match="no reboot"):
        await done(node, "reboot", reason="new kernel")
    assert node.asked == [HaMayGoDown(), BY_HELPER]


def taken(verb, boot_id=b"b" * 16, generation=2):
    return Taken(bytes(16), 1, verb, {}, boot_id, generation)


def test_what_a_restart_proves_is_done_and_nothing_else():
    node = SmallNode()
    assert "restarted" in HANDLERS["reboot"].resumed(taken("reboot", boot_id=b"a" * 16), node)
    with pytest.raises(ActError, match="machine was not"):
        HANDLERS["reboot"].resumed(taken("reboot"), node)
    renewed = HANDLERS["renew-identity"].resumed(taken("renew-identity", generation=1), node)
    assert renewed == "generation 2 is in use"
    with pytest.raises(ActError, match="before there was"):
        HANDLERS["renew-identity"].resumed(taken("renew-identity"), node)
    assert HANDLERS["ha-switchover"].resumed is None


async def test_a_reinstall_is_the_nodes_with_all_that_was_ordered():
    node, verb = SmallNode(), "host-reinstall"
    given = {"node": "n2", "component": "os", "version": "2", "digest": "0a" * 32, "length": 3}
    act = act_of(verb, given)
    assert await HANDLERS[verb].act(act, None, node) == "started"
    assert node.asked == [act]
    assert HANDLERS[verb].resumed is None, "what came of it is not known after a restart"


def test_an_act_has_a_bound_in_time():
    seconds = {verb: handler.seconds for verb, handler in HANDLERS.items()}
    assert 7_200 < seconds.pop("host-reinstall") < VERBS["host-reinstall"].done_s_max
    assert all(0 < each <= 700 for each in seconds.values())
    assert asyncio.iscoroutinefunction(HANDLERS["resync"].act)
