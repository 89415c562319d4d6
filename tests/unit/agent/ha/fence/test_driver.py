"""The drivers' children are the real ones; the BMC is a fake (see redfish_bmc)."""

import asyncio
import shutil
import sys
from pathlib import Path

import psutil
import pytest
from redfish_bmc import PASSWORD, RESET, SYSTEM, USER, Bmc, certificate, credentials, pin

from roost_agent.ha.config_fence import Fence
from roost_agent.ha.fence.driver import Reply, drive
from roost_agent.ha.fence.event import Power, Verb

UUID = "4c4c4544-0042-3510-8051-c4c04f4d4e32"
OTHER = "4c4c4544-0042-3510-8051-c4c04f4d4e33"

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("bmc"))


@pytest.fixture
def bmc(pem):
    with Bmc(pem, UUID) as bmc:
        yield bmc


@pytest.fixture
def fence(bmc, pem, tmp_path):
    def made(**more):
        said = {
            "node": "c0", "driver": "redfish", "url": bmc.url, "uuid": UUID, "timeout_s": 20.0,
            "credentials": str(credentials(tmp_path)), "certificate_sha256": pin(pem),
        }  # fmt: skip
        return Fence(**{**said, **more})

    return made


@pytest.fixture
def kept(fence):
    def made(text, mode):
        """A fence whose file of credentials says this, with this mode."""
        found = fence()
        file = Path(found.credentials)
        file.unlink()
        if text is not None:
            file.write_text(text)
            file.chmod(mode)
        return found

    return made


@needs_openssl
async def test_a_machine_is_read_switched_off_and_on_again(bmc, fence):
    assert await drive(fence(), Verb.STATUS) == Reply(Power.ON, UUID)
    assert await drive(fence(), Verb.OFF) == Reply(Power.UNKNOWN, UUID)
    bmc._timers[0].join()
    assert await drive(fence(), Verb.STATUS) == Reply(Power.OFF, UUID)
    assert await drive(fence(), Verb.OFF) == Reply(Power.OFF, UUID)
    assert bmc.orders() == ["ForceOff"], "what is off is not told again"
    assert await drive(fence(system=SYSTEM), Verb.ON) == Reply(Power.UNKNOWN, UUID)
    assert bmc.orders() == ["ForceOff", "ForceOn"], "the order that its list has"


@needs_openssl
async def test_a_ca_is_as_good_as_a_pin(fence, pem):
    assert await drive(fence(certificate_sha256=None, ca_file=str(pem)), Verb.STATUS) == Reply(
        Power.ON, UUID
    )


@needs_openssl
async def test_another_certificate_is_told_no_secret(bmc, fence, tmp_path):
    (tmp_path / "other").mkdir()
    other = certificate(tmp_path / "other")
    told = await drive(fence(certificate_sha256=pin(other)), Verb.OFF)
    assert "certificate_sha256" in told.fault
    told = await drive(fence(certificate_sha256=None, ca_file=str(other)), Verb.OFF)
    assert "its certificate is not good" in told.fault
    missing = fence(certificate_sha256=None, ca_file=str(tmp_path / "none"))
    assert "No such file" in (await drive(missing, Verb.OFF)).fault
    assert bmc.requests == []


@needs_openssl
async def test_another_machine_is_not_switched(bmc, fence):
    bmc.uuid = OTHER
    told = await drive(fence(), Verb.OFF)
    assert told.fault == f"{SYSTEM} is machine {OTHER}, not {UUID}"
    assert bmc.orders() == []
    assert await drive(fence(), Verb.STATUS) == Reply(Power.ON, OTHER), "whoever asked compares"


@needs_openssl
async def test_a_device_that_hangs_is_left_in_time(bmc, fence):
    bmc.hang.set()
    told = await drive(fence(timeout_s=1.0), Verb.STATUS)
    assert told.power is Power.UNKNOWN
    assert "timed out" in told.fault or "no answer within" in told.fault


@needs_openssl
async def test_a_dead_device_is_told(bmc, fence):
    made = fence()
    bmc.die()
    assert "refused" in (await drive(made, Verb.STATUS)).fault.lower()


@needs_openssl
async def test_a_refused_credential_is_told_without_it(bmc, fence, tmp_path):
    bmc.refuses = True
    told = await drive(fence(), Verb.STATUS)
    assert told.fault == "GET /redfish/v1/Systems: 401: it refuses the credential"
    assert PASSWORD not in told.fault
    assert USER not in told.fault


@needs_openssl
@pytest.mark.parametrize(
    ("path", "body", "fault"),
    [
        ("/redfish/v1/Systems", {"Members": []}, "0 systems: name one"),
        ("/redfish/v1/Systems", {"Members": [{}, 7, {"@odata.id": "/x"}]}, "2 systems"),
        ("/redfish/v1/Systems", {"Members": [{"@odata.id": "http://evil/"}]}, "no path of Redfish"),
        ("/redfish/v1/Systems", {"Members": [{"@odata.id": 7}]}, "1 systems"),
        ("/redfish/v1/Systems", {"Members": [{"@odata.id": "/redfish/v1/none"}]}, ": 404"),
        (SYSTEM, b"[]", "no object"),
        (SYSTEM, b"{", "no JSON"),
        (SYSTEM, b'"' + b"x" * 600_000 + b'"', "more than 524288 bytes"),
        (SYSTEM, {"UUID": None, "PowerState": "On"}, "is machine without a UUID"),
        (
            SYSTEM,
            {
                "UUID": UUID, "PowerState": "On",
                "Actions": {"#ComputerSystem.Reset": {"target": "https://evil/redfish/"}},
            },
            "no path of Redfish",
        ),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_told_and_nothing_is_done(bmc, fence, path, body, fault):
    bmc.bodies[path] = body
    assert fault in (await drive(fence(), Verb.OFF)).fault
    assert bmc.orders() == []


@needs_openssl
async def test_a_system_that_does_not_say_its_actions_has_the_usual_one(bmc, fence):
    bmc.bodies[SYSTEM] = {"UUID": UUID, "PowerState": "PoweringOff", "Actions": []}
    assert await drive(fence(), Verb.STATUS) == Reply(Power.UNKNOWN, UUID)
    assert (await drive(fence(), Verb.OFF)).fault == ""
    assert ("POST", RESET, "ForceOff") in bmc.requests


@needs_openssl
@pytest.mark.parametrize(
    ("text", "mode", "fault"),
    [
        ('user = "a"\npassword = "canary"\n', 0o640, "mode 0640"),
        ('user = "a"\npassword = "canary\n', 0o600, "must say user and password"),
        ('user = "a"\n', 0o600, "must say user and password"),
        ('user = "a:b"\npassword = "canary"\n', 0o600, "no colon"),
        ('user = "a"\npassword = 7\n', 0o600, "must be texts"),
        (None, 0, "No such file"),
    ],
)
async def test_a_credential_that_is_no_secret_is_not_used(bmc, kept, text, mode, fault):
    told = await drive(kept(text, mode), Verb.STATUS)
    assert fault in told.fault
    assert "canary" not in told.fault
    assert bmc.requests == []


@needs_openssl
async def test_no_argument_and_no_variable_has_the_credential(bmc, fence):
    """Look at the child of this very process, and at no other, while the device lets it wait."""
    bmc.hang.set()
    seen = []
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(drive(fence(), Verb.STATUS))
        while not seen and not task.done():
            await asyncio.sleep(0.02)
            for child in psutil.Process().children():
                words = " ".join(child.cmdline())
                if "roost_agent.ha.fence.redfish" in words:
                    seen.append(words + str(child.environ()))
        bmc.hang.clear()
    assert task.result() == Reply(Power.ON, UUID)
    assert seen
    assert not any(PASSWORD in each for each in seen)


@pytest.fixture
def command(tmp_path):
    def made(text, **more):
        file = tmp_path / "pdu"
        file.write_text(f"#!{sys.executable}\nimport os, sys, time\n{text}")
        file.chmod(0o755)
        said = {"node": "c0", "driver": "command", "timeout_s": 20.0}
        return Fence(command=(str(file), "outlet-3"), **{**said, **more})

    return made


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("on", Reply(Power.ON)),
        ("OFF\n", Reply(Power.OFF)),
        (f"off {UUID}", Reply(Power.OFF, UUID)),
        ("", Reply(fault="status says '': must be on or off")),
        ("switching", Reply(fault="status says 'switching': must be on or off")),
    ],
)
async def test_a_command_says_on_or_off(command, said, reply):
    made = command(f"assert sys.argv[1:] == ['outlet-3', 'status']; print({said!r})")
    assert await drive(made, Verb.STATUS) == reply


async def test_an_order_to_a_command_is_good_by_its_exit_status(command, tmp_path):
    made = command("print('whatever'); sys.exit(sys.argv[2] + os.environ['HA_NODE'] != 'offc0')")
    assert await drive(made, Verb.OFF) == Reply()
    assert (await drive(made, Verb.ON)).fault == "exit status 1: "


async def test_a_command_that_fails_hangs_or_is_not_there_is_told(command):
    made = command("sys.stderr.write('no route\\n'); sys.exit(3)")
    assert (await drive(made, Verb.STATUS)).fault == "exit status 3: no route"
    made = command("time.sleep(600)", timeout_s=1.0)
    assert (await drive(made, Verb.STATUS)).fault == "no answer within 1 s"
    gone = Fence(node="c0", driver="command", command=("/no/such/pdu",))
    assert (await drive(gone, Verb.STATUS)).fault == "/no/such/pdu: No such file or directory"


async def test_a_child_that_says_nonsense_is_told(fence, tmp_path, monkeypatch):
    file = tmp_path / "python"
    file.write_text("#!/bin/sh\necho hello\n")
    file.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(file))
    assert "makes no sense" in (await drive(fence(), Verb.STATUS)).fault
