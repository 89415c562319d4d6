"""Acts on hosts over HTTP: what is in the way, on which state it was decided, and who did it."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from aiohttp import ClientSession
from ca import Pki, unlimited
from host_words import host, report

from roost_central.access.core import Grant
from roost_central.api.listener import listening
from roost_central.api.routes import ROUTES
from roost_central.api.server import application
from roost_central.enrol.states import State as IdentityState
from roost_central.hosts.actions import ACTIONS
from roost_central.hosts.core import HostsWord, words_of
from roost_central.orders.desk import OrderDesk
from roost_central.storage import audit, bmc_reports, identities, nodes, orders, sites
from roost_central.storage.identities import IdentityRecord
from roost_protocol.bmc_report import BmcReport

WORDS = {"reason": "a fan is changed"}


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"), unlimited())


@pytest.fixture
async def act(central, clock, view, pki):
    """POST an action as the admin; the centre has a signer, alpha's nodes have identities."""
    said = report(host("n1"), host("n2"), by="alpha.n1")
    view.put_hosts("alpha", words_of([HostsWord("alpha", 1, clock.now_ms, said)]))
    async with central.database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("alpha", 1, {}, None, None, 1, 1)])
        rows = [nodes.NodeRecord(f"alpha.{name}", "alpha", name, 1) for name in ("n1", "n2")]
        await nodes.save(connection, rows)
        for name in ("n1", "n2"):
            await identities.save(connection, identity(f"alpha.{name}"))
    async with pki.serving() as signer:
        desk = OrderDesk(central.database, signer, clock, central.api.entropy)
        api = replace(central.api, orders=desk, releases=shelf())
        async with (
            listening(application(api, ROUTES), "127.0.0.1", 0) as port,
            ClientSession(f"http://127.0.0.1:{port}") as client,
        ):

            async def act(node, action, *, who=central.bearer, dry_run=False, **body):
                path = f"/api/v1/nodes/{node}/host:{action}{'?dry_run=true' if dry_run else ''}"
                async with client.post(path, json=WORDS | body, headers=who) as answer:
                    return answer.status, await answer.json()

            act.get = lambda path: client.get(path, headers=central.bearer)
            yield act


def identity(node, *, box=1, generation=1, issued_ms=1):
    return IdentityRecord(
        node, generation, box, f"{node}{generation}", node.encode() + bytes([generation]),
        node.encode() + bytes([generation]), IdentityState.ACTIVE, 10**14, "{}", b"s", "pem",
        issued_ms, 1,
    )  # fmt: skip


async def rows_of(central, action):
    async with central.database.read() as connection:
        found = await audit.page(connection, before=None, limit=20)
    return [row.act for row in found if row.act.action == action]


async def test_an_act_is_an_order_to_the_host_with_the_state_it_was_decided_on(central, act):
    status, found = await act("alpha.n2", "lock", expect={"oper": "enabled", "generation": 1})
    assert (status, found["order"]["verb"], found["order"]["node"]) == (
        202, "host-lock", "alpha.n2",
    )  # fmt: skip
    assert found["order"]["given"] == {
        "node": "n2", "expect": "unlocked/enabled/available", "force": False,
    }  # fmt: skip
    [row] = await rows_of(central, "host.lock")
    assert (row.object, row.outcome, row.reason) == ("alpha.n2", "done", "a fan is changed")
    assert row.detail["id"] == found["order"]["id"]


async def test_two_people_do_not_lock_both_nodes_of_a_site(central, act):
    assert (await act("alpha.n1", "lock"))[0] == 202
    status, problem = await act("alpha.n2", "lock")
    assert (status, problem["code"], problem["errors"][0]["code"]) == (
        409, "conflict", "other-act",
    )  # fmt: skip
    assert "alpha.n1" in problem["detail"]
    status, _ = await act("alpha.n2", "lock", force=True, confirm="alpha.n2")
    assert status == 409
    outcomes = [row.outcome for row in await rows_of(central, "host.lock")]
    assert outcomes == ["refused", "refused", "done"]


async def test_of_two_that_ask_in_the_same_moment_one_is_refused(act):
    answers = await asyncio.gather(act("alpha.n1", "lock"), act("alpha.n2", "lock"))
    assert sorted(status for status, _ in answers) == [202, 409]


@pytest.mark.parametrize(
    ("expected", "field"),
    [({"avail": "degraded"}, "expect.avail"), ({"generation": 2}, "expect.generation")],
)
async def test_what_was_decided_on_another_state_or_box_is_refused(act, expected, field):
    status, problem = await act("alpha.n2", "lock", expect=expected)
    assert (status, problem["errors"][0]["field"]) == (409, field)


async def test_force_needs_the_name_once_more_and_is_told_apart(act):
    status, problem = await act("alpha.n2", "reboot")
    assert (status, "force goes past it" in problem["detail"]) == (409, True)
    status, problem = await act("alpha.n2", "reboot", force=True, confirm="alpha.n1")
    assert (status, problem["errors"][0]["field"]) == (422, "confirm")
    status, found = await act("alpha.n2", "reboot", force=True, confirm="alpha.n2")
    assert (status, found["order"]["given"]["force"]) == (202, True)
    assert [each["code"] for each in found["forced"]] == ["state"]


async def test_a_dry_run_orders_nothing(central, act):
    status, found = await act("alpha.n2", "lock", dry_run=True)
    assert (status, found["order"]) == (200, None)
    assert [each["kind"] for each in found["effects"]] == ["site"]
    async with central.database.read() as connection:
        assert await orders.count_open(connection, "alpha.n2") == (0, 0)


async def test_what_nobody_can_do_is_refused_in_words(act):
    for action in ("reinstall", "power-on"):  # no board is known
        status, problem = await act("alpha.n2", action, confirm="alpha.n2")
        assert (status, problem["errors"][0]["code"]) == (409, "not-supported")


async def test_only_a_maintenance_has_seconds(act):
    status, found = await act("alpha.n2", "maintenance", seconds=600)
    assert (status, found["order"]["given"]["seconds"]) == (202, 600)
    assert (await act("alpha.n1", "lock", seconds=600))[0] == 422
    assert (await act("alpha.n1", "maintenance", seconds=72 * 3_600 + 1))[0] == 422


async def test_a_page_lists_every_action_with_what_is_in_its_way(act):
    async with act.get("/api/v1/nodes/alpha.n2/host/actions") as answer:
        page = await answer.json()
    found = {each["action"]: each for each in page["items"]}
    assert list(found) == list(ACTIONS)
    assert (page["oper"], page["generation"]) == ("enabled", 1)
    assert found["lock"]["allowed"]
    assert (found["reboot"]["allowed"], found["reboot"]["forcible"]) == (False, True)
    assert found["delete"]["blockers"][0]["todo"] == "`roost host lock alpha.n2` first"


async def test_a_host_that_is_deleted_is_revoked_and_gone_with_its_alarms(
    central, act, view, clock
):
    said = report(host("n1"), host("n2", "locked"), by="alpha.n1")
    view.put_hosts("alpha", words_of([HostsWord("alpha", 1, clock.now_ms, said)]))
    assert (await act("alpha.n2", "delete"))[0] == 422
    status, found = await act("alpha.n2", "delete", confirm="alpha.n2")
    assert (status, found["ended"]) == (200, 1)
    assert "alpha.n2" not in view.nodes
    assert view.sites["alpha"].nodes == ["alpha.n1"]
    async with central.database.read() as connection:
        [row] = await identities.of_node(connection, "alpha.n2")
        left = [each.node for each in await nodes.load_all(connection)]
    assert (row.state, left) == (IdentityState.REVOKED, ["alpha.n1"])
    [done] = [each for each in await rows_of(central, "host.delete") if each.outcome == "done"]
    assert done.detail["generations"] == [1]


async def test_who_may_only_look_acts_on_nothing_and_an_operator_deletes_nothing(
    central, act, person
):
    viewer = await person("eve", Grant("viewer", ""))
    operator = await person("ann", Grant("operator", ""))
    assert (await act("alpha.n2", "lock", who=viewer))[0] == 403
    assert (await act("alpha.n2", "delete", who=operator, confirm="alpha.n2"))[0] == 403
    assert (await act("alpha.n2", "lock", who=operator))[0] == 202
    elsewhere = await person("bob", Grant("operator", "region:r02"))
    assert (await act("alpha.n1", "maintenance", who=elsewhere))[0] == 404


@pytest.fixture
async def redfish(act, clock, view, monkeypatch):
    """n2 is locked, and its board speaks Redfish to n1."""
    said = report(host("n1"), host("n2", "locked"), by="alpha.n1")
    view.put_hosts("alpha", words_of([HostsWord("alpha", 1, clock.now_ms, said)]))
    said = BmcReport(v=1, node="n2", by="redfish")
    board = bmc_reports.BmcRecord("alpha.n2", "alpha.n1", 1, 1, said)

    async def find(_connection, _node):
        return board

    monkeypatch.setattr(bmc_reports, "find", find)


def shelf():
    """Releases of which one boots, one is named no more, and one is an application."""
    known = [release("1.0"), release("2.0", state="retracted"), release("3.0", kind="files")]
    named = {each.path: SimpleNamespace(length=300) for each in known}
    chains = SimpleNamespace(image=SimpleNamespace(releases=named))
    store = SimpleNamespace(chains=chains)
    return SimpleNamespace(releases=lambda: known, store=store)


def release(version, *, kind="iso", state="available"):
    files = [SimpleNamespace(path="edge.iso")]
    return SimpleNamespace(
        component="os", version=version, path=f"os/{version}.json", state=state,
        digest=version.replace(".", "a") * 21 + "0",
        manifest=SimpleNamespace(installer=kind, files=files),
    )  # fmt: skip


async def test_a_host_is_installed_anew_by_two_people_from_what_the_image_repository_names(
    act, redfish
):
    said = {"confirm": "alpha.n2"}
    for given, status, told in (
        ({}, 422, "which image"),
        ({"image": "os@9.9"}, 409, "there is no release os@9.9"),
        ({"image": "os@2.0"}, 409, "the image repository does not name os@2.0, it is retracted"),
        ({"image": "os@3.0"}, 409, "boots no machine"),
    ):
        found, problem = await act("alpha.n2", "reinstall", **said, **given)
        assert (found, told in str(problem)) == (status, True), problem
    assert (await act("alpha.n2", "reinstall", image="os@1.0"))[0] == 422, "its name is not said"
    assert (await act("alpha.n1", "lock", image="os@1.0"))[0] == 422
    status, answer = await act("alpha.n2", "reinstall", image="os@1.0", **said)
    assert status == 202, answer
    order = answer["order"]
    assert (order["verb"], order["node"], order["state"]) == (
        "host-reinstall", "alpha.n1", "pending",
    )  # fmt: skip
    assert order["given"] == {
        "node": "n2", "expect": "locked/disabled/online", "force": False, "component": "os",
        "version": "1.0", "digest": release("1.0").digest, "length": 300,
    }  # fmt: skip
    status, problem = await act("alpha.n2", "reinstall", image=release("1.0").digest, **said)
    assert (status, problem["errors"][0]["code"]) == (409, "busy")


async def test_where_nobody_signs_it_is_said_so(get, view, clock):
    said = report(host("n1"), host("n2"), by="alpha.n1")
    view.put_hosts("alpha", words_of([HostsWord("alpha", 1, clock.now_ms, said)]))
    _, page = await get("/api/v1/nodes/alpha.n1/host/actions")
    found = {each["action"]: each["blockers"] for each in page["items"]}
    assert [each["code"] for each in found["lock"]] == ["unreachable"]
    assert "[signer]" in found["lock"][0]["text"]
