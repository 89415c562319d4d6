"""The child's own work against a Redfish service over TLS, well and ill (see board_controllers)."""

import json
import shutil
import subprocess
import sys
import time

import msgspec
import pytest
from board_controllers import (
    PASSWORD,
    ROOT,
    SYSTEM,
    USER,
    UUID,
    Service,
    bmc_toml,
    free_port,
    lacks,
    machine,
    mockup,
)
from redfish_bmc import certificate

from roost_agent.bmc.board import load
from roost_agent.bmc.child import RELEARN, answer
from roost_agent.bmc.command import run
from roost_agent.bmc.talk import Answer, Known, Power, Request, Verb
from roost_agent.host.samples.ring import Ring
from roost_agent.ports import SystemClock

pytestmark = [
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl"),
]
CHILD = (sys.executable, "-P", "-m", "roost_agent.bmc.child")
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


class Soon:
    """Waits for nothing: what it waits for has happened."""

    async def sleep(self, seconds):
        pass


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def service(pem):
    with Service(pem, machine(3)) as made:
        yield made


@pytest.fixture
def ask(service, tmp_path):
    async def asked(do="poll", known=Known(), said=None, **more):  # noqa: B008 - frozen
        file = bmc_toml(
            tmp_path, **{"port": service.port, "ipmi_port": free_port(), "type": "redfish"}
            | (said or {}),
        )  # fmt: skip
        request = Request(
            file=str(file), do=do, nodes=["n1"], known={"n1": known},
            **{"seconds": 20.0, **more},
        )  # fmt: skip
        return await answer(load(str(file))[0], request, SystemClock(), Soon())

    return asked


async def test_a_poll_keeps_what_it_read_and_says_why_it_could_not(ask, tmp_path):
    found = await ask(history=str(tmp_path / "kept"))
    (part,) = Ring(tmp_path / "kept" / "n1").parts()
    assert "temperature|sensor=Sensor 0" in part.series
    assert found.unkept == ""
    (tmp_path / "full").write_text("no folder")
    assert "full" in (await ask(history=str(tmp_path / "full"))).unkept


async def test_a_machine_is_learned_and_its_sensors_of_both_schemas_are_read(ask, service):
    found = await ask()
    assert found.fault == ""
    known = found.known
    assert (known.type, known.uuid, known.maker) == ("redfish", UUID, "LabCorp")
    assert len(known.pin) == 64
    assert [each.name for each in found.sensors] == [
        "Sensor 0", "Sensor 1", "Sensor 2", "Fan 1", "Inlet",
    ]  # fmt: skip
    assert found.sensors[3].value is None, "a fan that is absent does not stand still"
    assert found.power is Power.ON
    method, path = service.seen[-1]
    assert method == "DELETE", "a controller has room for few sessions"
    assert path.startswith("/redfish/v1/SessionService/Sessions/")
    assert service.together_max <= 4


async def test_a_hundred_sensors_come_whole_where_the_service_gives_collections_whole(pem, ask):
    with Service(pem, machine(100, expands=True)) as other:
        found = await ask(said={"port": other.port})
        assert len(found.sensors) == 102
        assert len(other.seen) < 16


@pytest.mark.skipif(mockup() is None, reason="corpora absent")
async def test_of_the_mock_up_all_its_sensors_are_read(pem, ask):
    with Service(pem, mockup()) as other:
        found = await ask(said={"port": other.port})
    assert found.fault == ""
    assert sum("/Sensors/" in each.key for each in found.sensors) >= 41
    assert {each.key for each in found.sensors if "/Thermal#/" in each.key}


async def test_the_log_is_brought_from_the_record_after_the_last(ask, service):
    first = await ask()
    assert first.log == [], "what was there before is history"
    entries = service.resources[f"{SYSTEM}/LogServices/SEL/Entries"]["Members"]
    entries.append({"Id": "2", "Message": "fan failed", "Severity": "Critical"})
    second = await ask(known=first.known)
    assert [(each.record, each.text) for each in second.log] == [(2, "fan failed")]
    assert (await ask(known=second.known)).log == []


async def test_power_that_was_ordered_off_and_stays_on_is_unconfirmed(ask, service):
    service.obeys = False
    found = await ask("power", verb=Verb.OFF, forced=True)
    assert found.fault == "unconfirmed"
    assert "reads on, not off" in found.why
    service.obeys = True
    assert (await ask("power", verb=Verb.OFF, forced=True)).power is Power.OFF
    assert {body["ResetType"] for _, _, body in service.orders} == {"ForceOff"}


async def test_a_boot_device_is_set_and_read(ask, service):
    assert (await ask("boot", device="pxe")).boot == "pxe"
    assert service.orders[-1][2] == {
        "Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}
    }
    service.obeys = False
    assert (await ask("boot", device="disk")).fault == "unconfirmed"


async def test_a_wrong_password_is_told_once_and_not_tried_by_another_way(ask, service):
    found = await ask(said={"password": "wrong", "type": "dynamic"})
    assert found.fault == "credential"
    assert [method for method, _ in service.seen].count("POST") == 1
    assert "wrong" not in found.why
    assert PASSWORD not in found.why


async def test_another_certificate_is_told_no_secret(ask, service):
    found = await ask(known=Known(type="redfish", pin="ab" * 32, uuid=UUID))
    assert found.fault == "tls"
    assert service.seen == []


async def test_another_machine_is_given_no_order(ask, service):
    other = UUID.replace("27946b59", "27946b5a")
    found = await ask("power", verb=Verb.OFF, said={"uuid": other})
    assert (found.fault, service.orders) == ("machine", [])
    found = await ask("power", verb=Verb.OFF, known=Known(uuid=other, failures=RELEARN))
    assert (found.fault, service.orders) == ("machine", []), "an act is for who was learned"
    found = await ask("poll", known=Known(uuid=other, failures=RELEARN))
    assert (found.fault, found.known.uuid) == ("", UUID), "after five failures it is learned anew"


@pytest.mark.parametrize(
    ("path", "said", "fault"),
    [
        (SYSTEM, (302, [("Location", "https://127.0.0.1:1/redfish/v1")], b""), "redirect"),
        (SYSTEM, (200, [], b"<html>"), "garbage"),
        (SYSTEM, (200, [], b"[1, 2]"), "garbage"),
        (SYSTEM, (200, [], b"[" * 100_000), "garbage"),
        (SYSTEM, (200, [], b'{"UUID": "' + b"x" * (3 << 20)), "oversize"),
        (SYSTEM, (500, [], b""), "refused"),
        (ROOT, (200, [], b"{}"), "garbage"),
        ("/redfish/v1/Systems", (200, [], b'{"Members": [{"@odata.id": "/etc"}]}'), "garbage"),
        ("/redfish/v1/Systems", (200, [], b'{"Members": []}'), "config"),
    ],
)  # fmt: skip
async def test_an_answer_that_no_controller_should_give_is_a_fault_of_its_kind(
    ask, service, path, said, fault
):
    service.answers[path] = said
    found = await ask()
    assert found.fault == fault
    assert found.known.failures == 1


async def test_a_bad_part_loses_that_part(ask, service):
    service.answers["/redfish/v1/Chassis/1/Thermal"] = (500, [], b"")
    service.answers["/redfish/v1/Chassis/1/Sensors/S1"] = (200, [], b"garbage")
    found = await ask()
    assert [each.name for each in found.sensors] == ["Sensor 0", "Sensor 2"]


def test_one_that_says_nothing_costs_the_time_that_it_was_given(service, tmp_path):
    service.hang.set()
    file = bmc_toml(tmp_path, port=service.port, type="redfish")
    asked = Request(file=str(file), do="poll", nodes=["n1"], seconds=1.0)
    began = time.monotonic()
    done = subprocess.run(CHILD, input=msgspec.json.encode(asked), capture_output=True, check=True)
    found = msgspec.json.decode(done.stdout, type=Answer)
    assert (found.fault, found.known.failures) == ("timeout", 1)
    assert time.monotonic() - began < 10


async def test_one_that_is_not_there_is_unreachable(ask):
    found = await ask(said={"port": free_port()})
    assert found.fault == "unreachable"


@pytest.mark.skipif(bool(lacks("ipmitool")), reason="needs ipmitool")
async def test_where_no_redfish_answers_ipmi_is_tried_and_both_are_told(ask):
    found = await ask(said={"port": free_port(), "type": "dynamic"})
    assert found.fault == "unreachable"
    assert found.why.startswith("Redfish: ")
    assert "IPMI: no IPMI session" in found.why


def test_the_child_answers_each_node_and_says_no_secret(service, tmp_path):
    file = bmc_toml(tmp_path, port=service.port, type="redfish")
    asked = Request(file=str(file), do="test", nodes=["n1", "n2"])
    done = subprocess.run(
        CHILD, input=msgspec.json.encode(asked), capture_output=True, timeout=30, check=True
    )
    found = {
        each.node: each
        for each in map(msgspec.json.Decoder(Answer).decode, done.stdout.splitlines())
    }
    assert found["n1"].fault == ""
    assert found["n2"].fault == "config"
    assert PASSWORD.encode() not in done.stdout + done.stderr
    assert subprocess.run(CHILD, input=b"{}", capture_output=True, check=False).returncode == 2


def test_by_hand_a_controller_is_set_tested_read_and_switched(
    service, tmp_path, capsys, monkeypatch
):
    file = tmp_path / "bmc.toml"
    known = ["--file", str(file), "--state-dir", str(tmp_path)]
    monkeypatch.setattr("sys.stdin", _Line(PASSWORD))
    set_ = ["set", "n1", "--host", "127.0.0.1", "--user", USER, "--port", str(service.port)]
    assert run([*known, *set_, "--type", "redfish", "--password-stdin"]) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert run([*known, "set", "n1", "--interval-s", "60"]) == 0, "asks for no password again"
    assert run([*known, "show"]) == 0
    assert run([*known, "test", "n1"]) == 0
    assert run([*known, "sensors", "n1"]) == 0
    assert run([*known, "sensors", "n1", "--json"]) == 0
    shown = capsys.readouterr().out
    assert "LabCorp EdgeBox-1" in shown
    assert "Sensor 2" in shown
    assert PASSWORD not in shown
    with pytest.raises(Exception, match="say --yes"):
        run([*known, "power", "n1", "reset"])
    assert service.orders == []
    assert run([*known, "boot", "n1", "pxe", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["boot"] == "pxe"
    with pytest.raises(Exception, match="names no controller of n2"):
        run([*known, "test", "n2"])


class _Line:
    def __init__(self, text):
        self._text = text

    def readline(self, _limit):
        return f"{self._text}\n"

    def isatty(self):
        return False
