"""ipmi_sim and sushy-emulator, which others wrote, through the child as the agent starts it.

More of it, and slower: the proofs ``bmc.ipmi_sim`` and ``bmc.redfish``.
"""

import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from board_controllers import (
    PASSWORD,
    UUID,
    bmc_toml,
    emulator,
    free_port,
    ipmi_sim,
    lacks,
)

from roost_agent.bmc.sensor import Level
from roost_agent.bmc.talk import Answer, Known, Power, Request, Verb

PROGRAMS = ("ipmi_sim", "sdrcomp", "ipmitool")
pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(lacks(*PROGRAMS, "openssl")), reason=f"needs {', '.join(PROGRAMS)}"),
]
CHILD = (sys.executable, "-P", "-m", "roost_agent.bmc.child")


def ask(file, do, known=Known(), **more):  # noqa: B008 - frozen
    asked = Request(file=str(file), do=do, nodes=["n1"], known={"n1": known}, **more)
    done = subprocess.run(
        CHILD, input=msgspec.json.encode(asked), capture_output=True, timeout=120, check=True
    )
    assert PASSWORD.encode() not in done.stdout + done.stderr
    return msgspec.json.decode(done.stdout, type=Answer)


def test_by_ipmi_a_machine_is_read_switched_and_its_threshold_crossed_live(tmp_path):
    with ipmi_sim(tmp_path) as sim:
        file = bmc_toml(tmp_path, port=free_port(), ipmi_port=sim.port)
        first = ask(file, "poll")
        assert (first.fault, first.known.type, first.power) == ("", "ipmi", Power.ON)
        (cpu,) = first.sensors
        assert (cpu.name, cpu.value, cpu.level) == ("CPU Temp", 48, Level.OK)
        sim.say("temp", 150)
        time.sleep(1)
        second = ask(file, "poll", first.known)
        assert (second.sensors[0].value, second.sensors[0].level) == (150, Level.MAJOR)
        assert [each.record for each in second.log] == [1, 2]
        assert "Upper Critical going high" in second.log[1].text
        assert ask(file, "boot", second.known, device="pxe").boot == "pxe"
        assert ask(file, "power", second.known, verb=Verb.OFF, forced=True).power is Power.OFF


def test_a_dead_controller_and_a_wrong_password_cost_seconds_and_no_argument_has_it(tmp_path):
    with ipmi_sim(tmp_path) as sim:
        file = bmc_toml(tmp_path, ipmi_port=sim.port, type="ipmi", password="wrong")
        found = ask(file, "test")
        assert found.fault == "credential"
        assert "refuses the user, the password" in found.why
        file = bmc_toml(tmp_path, ipmi_port=sim.port, type="ipmi")
        sim.pause()
        began = time.monotonic()
        asked = Request(file=str(file), do="test", nodes=["n1"])
        child = subprocess.Popen(  # the wait of ipmitool is long enough to be looked at
            CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        child.stdin.write(msgspec.json.encode(asked))
        child.stdin.close()
        seen = set()
        while child.poll() is None:
            shown = subprocess.run(
                ("ps", "-eo", "args", "--no-headers"), capture_output=True, check=True
            ).stdout
            assert PASSWORD.encode() not in shown
            seen |= {line for line in shown.splitlines() if line.startswith(b"ipmitool")}
        child.stdout.close()
        assert any(b"-f /proc/self/fd/" in line for line in seen), "it was looked at"
        assert time.monotonic() - began < 15


def test_by_redfish_a_machine_is_read_and_its_boot_device_chosen(tmp_path):
    with emulator(tmp_path) as port:
        file = bmc_toml(tmp_path, port=port)
        first = ask(file, "poll")
        assert (first.fault, first.known.type, first.known.uuid) == ("", "redfish", UUID)
        assert first.power is Power.ON
        assert len(first.sensors) >= 3
        assert ask(file, "boot", first.known, device="pxe").boot == "pxe"


def test_by_redfish_an_image_is_put_into_the_virtual_drive_and_taken_out(tmp_path):
    image = tmp_path / "served"
    image.mkdir()
    (image / "roost.iso").write_bytes(b"an image")
    serve = partial(SimpleHTTPRequestHandler, directory=image)
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server, emulator(tmp_path) as port:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/roost.iso"
        file = bmc_toml(tmp_path, port=port)
        known = ask(file, "test").known
        assert ask(file, "media", known).media == ""
        absent = ask(file, "media", known, media="insert", image=url.replace("roost", "none"))
        assert (absent.fault, absent.media) == ("refused", "")
        assert ask(file, "media", known, media="insert", image=url).media == url
        other = ask(file, "media", known, media="insert", image=f"{url}?2")
        assert other.why == f"its drive holds {url}: eject that first"
        agent = (sys.executable, "-m", "roost_agent", "bmc", "--file", file)
        words = (*agent, "--state-dir", tmp_path, "media", "n1")
        done = subprocess.run((*words, "eject"), capture_output=True, text=True, check=True)
        assert "its drive is empty" in done.stdout
        server.shutdown()
