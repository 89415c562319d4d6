"""Setting board controllers over HTTP: sealed to the site's nodes, never read back, audited."""

import asyncio
import contextlib
import json

import pytest
from board_controllers import PASSWORD, USER, Service, machine
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from redfish_bmc import certificate

from roost_central.access.core import Grant
from roost_central.enrol.states import State
from roost_central.orders.core import State as OrderState
from roost_central.orders.core import ended
from roost_central.storage import audit, boards, identities, nodes, orders, sites
from roost_central.storage.identities import IdentityRecord
from roost_protocol.boards import about, read_document
from roost_protocol.order import body_digest
from roost_protocol.sealed import open_sealed

SECRET = "canary-of-the-board"
AT = "/api/v1/nodes/alpha.n2/bmc"
BODY = {"host": "10.0.9.12", "user": "roost", "password": SECRET, "reason": "a new rack"}


def identity(node, key, generation=1, state=State.ACTIVE):
    public = key.public_key().public_bytes_raw()
    mark = f"{node}/{generation}".encode()
    return IdentityRecord(
        node=node, generation=generation, box=generation, serial=mark.hex(), fingerprint=mark,
        key_hash=mark, state=state, not_after_ms=10**13, hardware="{}", sealing_key=public,
        certificate="", issued_ms=1, changed_ms=1,
    )  # fmt: skip


@pytest.fixture
async def keys(central):
    """Two nodes of alpha with an identity each, and their sealing keys."""
    keys = {f"alpha.n{n}": X25519PrivateKey.generate() for n in (1, 2)}
    async with central.database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("alpha", 1, {}, None, None, 1, 1)])
        for node, key in keys.items():
            record = nodes.NodeRecord(node, "alpha", node.partition(".")[2], 1)
            await nodes.save(connection, [record])
            await identities.add(connection, identity(node, key))
    central.api.boards.hears = lambda _node: 1
    return keys


@pytest.fixture
def send(central):
    async def send(method, path, body, who=None):
        headers = central.bearer if who is None else who
        answer = await central.client.request(method, path, json=body, headers=headers)
        text = await answer.text()
        assert SECRET not in text, "no answer has the password"
        return answer.status, json.loads(text) if text else None

    return send


async def told(central, keys):
    """What each node was told, opened with its own key; order, document."""
    await central.api.boards.turn()
    found = {}
    async with central.database.read() as connection:
        for node, each in (await boards.load_given(connection)).items():
            order = await orders.find(connection, each.order)
            assert (order.node, order.verb, order.by) == (node, "set-boards", "central")
            assert order.given == {"digest": body_digest(each.body)}
            assert await boards.body(connection, each.digest) == each.body
            found[node] = order, read_document(open_sealed(keys[node], each.body, about(node)))
    return found


async def test_each_node_of_the_site_is_told_by_a_body_that_it_alone_can_read(central, keys, send):
    status, found = await send("PUT", AT, BODY)
    assert (status, found["host"], found["has_password"], found["told"]) == (
        200, "10.0.9.12", True, [],
    )  # fmt: skip
    said = await told(central, keys)
    assert said.keys() == keys.keys()
    for _, document in said.values():
        (one,) = document.boards
        assert (one.node, one.access.host, one.access.password) == ("n2", "10.0.9.12", SECRET)
        assert document.reader == "n1"
    status, found = await send("GET", AT, None)
    assert [each["state"] for each in found["configured"]["told"]] == ["ready", "ready"]
    orders_before = {node: order.id for node, (order, _) in said.items()}
    central.api.boards.changed("alpha")
    again = await told(central, keys)
    assert {node: order.id for node, (order, _) in again.items()} == orders_before


async def test_no_table_and_no_audit_row_has_the_password(central, keys, send, tmp_path):
    await send("PUT", AT, BODY)
    await told(central, keys)
    async with central.database.read() as connection:
        acts = [each.act for each in await audit.page(connection, before=None, limit=50)]
        (act,) = [each for each in acts if each.action == "bmc.set"]
        assert (act.object, act.detail["password"], act.detail["host"]) == (
            "alpha.n2", "new", "10.0.9.12",
        )  # fmt: skip
        assert SECRET not in str(acts)
        record = await boards.find(connection, "alpha.n2")
        assert (record.access.password, record.by) == ("", "admin")
        assert central.api.boards.vault.open("alpha.n2", record.secret) == SECRET
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file


async def test_a_password_must_come_anew_where_it_would_go_elsewhere(central, keys, send):
    await send("PUT", AT, BODY)
    bare = {name: value for name, value in BODY.items() if name != "password"}
    status, _ = await send("PUT", AT, bare | {"system": "/redfish/v1/Systems/1"})
    assert status == 200
    for change in ({"host": "10.6.6.6"}, {"port": 8443}, {"user": "eve"}, {"type": "ipmi"}):
        status, problem = await send("PUT", AT, bare | change)
        assert (status, problem["errors"][0]["field"]) == (422, "password"), change
    status, problem = await send("PUT", AT.replace("n2", "n1"), bare)
    assert (status, problem["errors"][0]["detail"]) == (422, "must be given")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"host": "local"}, "host"),
        ({"host": "a b"}, "host"),
        ({"user": ""}, "user"),
        ({"password": ""}, "password"),
        ({"password": f"{SECRET}\nx"}, "password"),
        ({"password": SECRET * 20}, "password"),
        ({"ca": "no certificate"}, "ca"),
        ({"certificate_sha256": "12"}, "certificate_sha256"),
        ({"interval_s": 5}, "interval_s"),
        ({"port": 0}, "port"),
    ],
)
async def test_what_is_wrong_is_refused_by_its_field(keys, send, change, field):
    status, problem = await send("PUT", AT, BODY | change)
    assert status in {400, 422}
    assert field in json.dumps(problem)


async def test_a_box_that_was_replaced_or_an_order_that_failed_is_told_again(
    central, keys, send, clock
):
    await send("PUT", AT, BODY)
    first = await told(central, keys)
    keys["alpha.n1"] = X25519PrivateKey.generate()
    async with central.database.write() as connection:
        await identities.save(
            connection, identity("alpha.n1", X25519PrivateKey.generate(), 1, State.REPLACED)
        )
        await identities.add(connection, identity("alpha.n1", keys["alpha.n1"], 2))
        failed = ended(first["alpha.n2"][0], OrderState.FAILED, "sealed", "no", clock.wall_ms())
        await orders.save(connection, failed)
    clock.now_ms += 120_000
    second = await told(central, keys)
    assert second["alpha.n1"][1] == first["alpha.n1"][1]
    assert second["alpha.n1"][0].id != first["alpha.n1"][0].id
    assert second["alpha.n2"][0].id != failed.id
    async with central.database.read() as connection:
        old = await orders.find(connection, first["alpha.n1"][0].id)
        assert (old.state, old.code) == (OrderState.CANCELLED, "superseded")


async def test_nobody_in_quarantine_and_nobody_unheard_is_told(central, keys, send):
    async with central.database.write() as connection:
        rows = await identities.of_node(connection, "alpha.n1")
        await identities.save(connection, identity("alpha.n1", keys["alpha.n1"], 1,
                                                   State.QUARANTINED))  # fmt: skip
        assert rows
    central.api.boards.hears = lambda node: None if node == "alpha.n2" else 1
    await send("PUT", AT, BODY)
    assert await told(central, keys) == {}


async def test_what_is_forgotten_is_taken_from_the_nodes(central, keys, send):
    await send("PUT", AT, BODY)
    await told(central, keys)
    assert await send("POST", f"{AT}:forget", {"reason": "gone"}) == (204, None)
    assert [each[1].boards for each in (await told(central, keys)).values()] == [[], []]
    status, _ = await send("POST", f"{AT}:forget", {"reason": "gone"})
    assert status == 404


async def test_by_another_key_nobody_is_told_anything(central, keys, send, caplog):
    await send("PUT", AT, BODY)
    central.api.boards.vault = type(central.api.boards.vault)(bytes(32), central.api.entropy)
    assert await told(central, keys) == {}
    assert "set them anew" in caplog.text


async def test_settings_of_groups_are_kept_told_and_shown(central, keys, send):
    at = "/api/v1/nodes/alpha.n2/sensor-groups"
    said = {"critical": "power-cycle", "interval_s": 600, "reason": "hot",
            "sensors": {"/redfish/v1/S/1": True}}  # fmt: skip
    status, _ = await send("PATCH", f"{at}/temperature", said)
    assert status == 200
    status, _ = await send("PATCH", f"{at}/temperature", {"minor": "log", "reason": "noise"})
    document = (await told(central, keys))["alpha.n1"][1]
    (one,) = document.boards
    group = one.sensors.groups["temperature"]
    assert (one.access, group.critical, group.minor, group.interval_s) == (
        None, "power-cycle", "log", 600,
    )  # fmt: skip
    assert one.sensors.suppress == ["/redfish/v1/S/1"]
    await send("PUT", AT, BODY)
    off = {"sensors": {"/redfish/v1/S/1": False}, "reason": "mended"}
    status, found = await send("PATCH", f"{at}/temperature", off)
    row = {each["group"]: each for each in found["items"]}["temperature"]
    assert (row["critical"], row["is_set"], row["suppressed"]) == ("power-cycle", True, [])
    (one,) = (await told(central, keys))["alpha.n1"][1].boards
    assert (one.access.password, one.sensors.suppress) == (SECRET, [])
    for path, body in (
        (f"{at}/noise", {"reason": "x"}),
        (f"{at}/fans", {"minor": "reset", "reason": "x"}),
        (f"{at}/fans", {"interval_s": 3, "reason": "x"}),
    ):
        status, _ = await send("PATCH", path, body)
        assert status in {400, 404, 422}, (path, body)


async def test_who_may_only_look_sees_neither_address_nor_user(central, keys, send, person):
    await send("PUT", AT, BODY)
    viewer = await person("viewer", Grant("viewer"))
    status, found = await send("GET", AT, None, viewer)
    assert (status, found["configured"]["host"], found["configured"]["user"]) == (200, "", "")
    operator = await person("operator", Grant("operator"))
    status, found = await send("GET", AT, None, operator)
    assert found["configured"]["host"] == "10.0.9.12"
    assert (await send("PUT", AT, BODY, operator))[0] == 403


async def test_a_test_needs_a_node_that_reads_it(keys, send):
    status, problem = await send("POST", f"{AT}:test", None)
    assert status == 409
    assert "set it" in problem["detail"] or "no fleet" in problem["detail"]


POLLED = BODY | {"reached_by": "centre", "type": "redfish"}


async def test_what_the_centre_polls_is_told_to_no_node_and_asks_for_its_password_anew(
    central, keys, send
):
    await send("PUT", AT, BODY)
    without = {key: value for key, value in POLLED.items() if key != "password"} | {
        "type": "dynamic"
    }
    status, problem = await send("PUT", AT, without)
    assert (status, problem["errors"][0]["field"]) == (422, "password")
    status, found = await send("PUT", AT, POLLED)
    assert (status, found["reached_by"]) == (200, "centre")
    assert [each[1].boards for each in (await told(central, keys)).values()] in ([], [[], []])
    async with central.database.read() as connection:
        (record,) = await boards.load_polled(connection)
    assert central.api.poller._opened(record, None).access.password == SECRET


async def test_no_machine_is_acted_on_for_what_the_centre_polls(central, keys, send):
    group = "/api/v1/nodes/alpha.n2/sensor-groups/temperature"
    await send("PUT", AT, POLLED)
    status, problem = await send("PATCH", group, {"critical": "reset", "reason": "hot"})
    assert status == 409
    assert "no machine acted on" in problem["detail"]
    await send("PUT", AT, BODY)
    assert (await send("PATCH", group, {"critical": "reset", "reason": "hot"}))[0] == 200
    status, problem = await send("PUT", AT, POLLED)
    assert (status, "--critical alarm" in problem["detail"]) == (409, True)


@pytest.mark.timeout(90)
async def test_a_board_that_the_centre_reaches_is_polled_tested_and_shown(
    central, keys, send, tmp_path
):
    (tmp_path / "board").mkdir()
    pem = certificate(tmp_path / "board")
    service = Service(pem, machine(2))
    where = {"host": "127.0.0.1", "port": service.port, "user": USER, "password": PASSWORD}
    with service:
        task = asyncio.get_running_loop().create_task(central.api.poller.run())
        await send("PUT", AT, POLLED | where)
        async with asyncio.timeout(60):
            while (found := (await send("GET", AT, None))[1])["as_of"] is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (found["speaker"], found["power"], found["sensors"]) == ("central", "on", 4)
        status, said = await send("POST", f"{AT}:test", None)
        assert (status, said["by"], said["order"], said["reached"]["fault"]) == (
            202, "central", None, "",
        )  # fmt: skip
        assert "by redfish, power on" in said["reached"]["text"]
        status, said = await send("POST", f"{AT}:relearn", {"reason": "replaced"})
        assert said["reached"]["fault"] == ""
        status, said = await send("GET", "/api/v1/nodes/alpha.n2/sensors/samples", None)
        assert "keeps no readings" in said["why"]
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert (await send("POST", f"{AT}:test", None))[1]["reached"]["fault"] == "child"
