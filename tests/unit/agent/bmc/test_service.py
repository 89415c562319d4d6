"""The service with its real children and a Redfish service over TLS (see board_controllers)."""

import asyncio
import contextlib
import shutil

import msgspec
import pytest
from board_controllers import PASSWORD, SYSTEM, UUID, Service, bmc_toml, free_port, machine
from redfish_bmc import certificate

from roost_agent.bmc import kept
from roost_agent.bmc.acting import SITE_MAX
from roost_agent.bmc.board import load
from roost_agent.bmc.budget import ActBudget
from roost_agent.bmc.effect import Act
from roost_agent.bmc.service import BoardControllers
from roost_agent.bmc.talk import Verb
from roost_agent.host.samples.ring import BOARDS_FOLDER, Ring
from roost_agent.ports import SystemClock
from roost_protocol.bmc_report import BmcReport
from roost_protocol.codec import Decoder, unpack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.severity import Severity

pytestmark = [
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl"),
    pytest.mark.timeout(120),
]
ENOUGH_S = 40
decode = Decoder(BmcReport).decode


class Outbox:
    """Takes what comes, and says that it is on the disk."""

    def __init__(self):
        self.entries = []
        self.lanes = {Lane.BULK: msgspec.defstruct("L", [("last", int), ("mark", int)])(0, 0)}

    def append(self, batch):
        self.entries += batch.entries

    def reports(self):
        return [
            decode(unpack(each.body, compressed=each.compressed))
            for each in self.entries
            if each.kind is ItemKind.BMC
        ]


class Alarms:
    is_open = True

    def __init__(self):
        self.seen = None

    def observe(self, seen):
        self.seen = seen

    def stand(self):
        found = () if self.seen is None else self.seen.samples
        return {each.entity: each.severity for each in found if each.severity}


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


@contextlib.asynccontextmanager
async def running(folder, *services, **said):
    text = ""
    for index, service in enumerate(services):
        file = bmc_toml(
            folder, node=f"n{index + 1}", type="redfish", port=getattr(service, "port", service),
            interval_s=10, **said,
        )  # fmt: skip
        text += file.read_text()
    file.write_text(text)
    outbox, alarms = Outbox(), Alarms()
    made = BoardControllers(
        str(file), load(str(file)), "n9", folder=folder, outbox=outbox, alarms=alarms,
        clock=SystemClock(), is_ours=lambda: True,
    )  # fmt: skip
    task = asyncio.get_running_loop().create_task(made.run())
    try:
        yield made, outbox, alarms
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(true):
    async with asyncio.timeout(ENOUGH_S):
        while not true():  # noqa: ASYNC110 - real children do it
            await asyncio.sleep(0.05)


async def test_a_controller_is_learned_read_and_told_and_its_sensors_raise_alarms(pem, tmp_path):
    with Service(pem, machine(2)) as service:
        path = "/redfish/v1/Chassis/1/Sensors/S1"
        service.resources[path]["Reading"] = 95
        async with running(tmp_path, service) as (boards, outbox, alarms):
            await until(outbox.reports)
            assert boards.power("n1")[0] is True
            assert alarms.stand() == {"bmc=n1,sensor=Sensor 1": Severity.MAJOR}
        (said,) = outbox.reports()
        assert (said.node, said.by, said.power, said.uuid) == ("n1", "redfish", "on", UUID)
        assert PASSWORD.encode() not in b"".join(each.body for each in outbox.entries)
        found = kept.read(tmp_path)
        assert (found.known["n1"].type, found.known["n1"].uuid) == ("redfish", UUID)
        assert PASSWORD not in (tmp_path / kept.FILE).read_text()
        (part,) = Ring(tmp_path / BOARDS_FOLDER / "n1").parts()
        assert "temperature|sensor=Sensor 1" in part.series


async def test_a_silent_controller_holds_up_nobody(pem, tmp_path):
    kept.write(tmp_path, {"n1": kept.Known(type="redfish", pin="a" * 64, failures=1)}, {})
    with Service(pem, machine()) as silent, Service(pem, machine()) as well:
        silent.hang.set()
        async with running(tmp_path, silent, well) as (_, outbox, _alarms):
            await until(lambda: any(each.node == "n2" for each in outbox.reports()))


async def test_an_act_says_nothing_when_it_is_read_to_be_done_and_else_why_not(pem, tmp_path):
    with Service(pem, machine()) as service:
        async with running(tmp_path, service, free_port()) as (boards, _, _alarms):
            assert await boards.act("n1", "power-off") == ""
            assert service.resources[SYSTEM]["PowerState"] == "Off"
            assert "unreachable" in await boards.act("n2", "power-off")
            assert await boards.act("n1", "power-on", lambda: "not now") == "not now"
            assert service.resources[SYSTEM]["PowerState"] == "Off"
            assert "names a controller of n7" in await boards.act("n7", "reset")
            assert boards.has("n1")
            assert not boards.has("n7")


async def test_acts_count_against_the_hour_of_the_site_unless_no_board_took_them(pem, tmp_path):
    before = ActBudget(tmp_path, SystemClock())
    for _ in range(SITE_MAX - 1):
        before.spend()
    with Service(pem, machine()) as service:
        async with running(tmp_path, service, free_port()) as (boards, _, _alarms):
            assert "unreachable" in await boards.act("n2", "reset")
            assert not boards.budget.refusal(), "given back"
            assert await boards.act("n1", "power-off") == ""
            assert (await boards.act("n1", "reset")).startswith("budget: 3 machines of the site")
            assert await boards.act("n1", "power-on") == "", "that takes no power"
    assert ActBudget(tmp_path, SystemClock()).refusal()


async def test_what_cannot_be_counted_is_not_done(pem, tmp_path):
    with Service(pem, machine()) as service:
        async with running(tmp_path, service) as (boards, _, _alarms):
            (tmp_path / "board-acts.json.new").mkdir()  # the disk refuses
            why = await boards.act("n1", "reset")
    assert why == "budget: it cannot be counted: Is a directory"
    assert service.orders == []


async def test_a_child_that_fails_is_a_fault_and_not_the_end(pem, tmp_path):
    with Service(pem, machine()) as service:
        async with running(tmp_path, service) as (boards, _, _alarms):
            (tmp_path / "bmc.toml").chmod(0o644)
            assert "must be the agent's, 0600" in await boards.act("n1", "power-off")


async def test_a_machine_is_acted_on_when_that_was_kept_and_not_where_it_cannot_be(pem, tmp_path):
    with Service(pem, machine()) as service:
        file = bmc_toml(tmp_path, type="redfish", port=service.port)
        made = BoardControllers(
            str(file), load(str(file)), "n9", folder=tmp_path, outbox=Outbox(), alarms=Alarms(),
            clock=SystemClock(), is_ours=lambda: True,
        )  # fmt: skip
        act = Act("n1", Verb.RESET, "hot", (7,))
        (tmp_path / f"{kept.FILE}.new").mkdir()  # the disk refuses
        await made._act(act)
        assert service.orders == []
        (tmp_path / f"{kept.FILE}.new").rmdir()
        await made._act(act)
        assert [body["ResetType"] for _, _, body in service.orders] == ["ForceRestart"]
        assert "n1" in kept.read(tmp_path).known


async def test_no_machine_is_acted_on_for_its_sensors_against_what_the_host_says(pem, tmp_path):
    with Service(pem, machine()) as service:
        file = bmc_toml(tmp_path, type="redfish", port=service.port)
        turn, why = [True], ["it is the last that serves"]
        made = BoardControllers(
            str(file), load(str(file)), "n9", folder=tmp_path, outbox=Outbox(), alarms=Alarms(),
            clock=SystemClock(), is_ours=lambda: turn[0], why_not=lambda _node: why[0],
        )  # fmt: skip
        act = Act("n1", Verb.RESET, "hot", (7,))
        await made._act(act)
        turn[0], why[0] = False, ""
        await made._act(act)
        assert service.orders == []
