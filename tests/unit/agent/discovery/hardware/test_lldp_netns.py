"""Neighbours over a real cable: two ends of a veth pair, and an lldpd of Debian at one of them."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import msgspec
import pytest
from lldp_sender import switch

from roost_agent.discovery.lldp import Windows, section_of
from roost_agent.listener.program import FILE, GROUPS

pytestmark = pytest.mark.netns
NUMBER = count()
SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
TRIES = 30
LLDPD_MS = 5_000  # until it has begun and said its first word
LISTEN = """
import sys
from roost_agent.helper.ports import boot_ms
from roost_agent.listener.program import FILE, hear, known
from roost_agent.listener.window import encoded
folder, listen_ms = sys.argv[1], int(sys.argv[2])
kept = known(folder)
print("ready", flush=True)
hear(["near"], kept, until_ms=boot_ms() + listen_ms)
open(f"{folder}/{FILE}", "wb").write(encoded(kept, ["near"], boot_ms()))
"""
SEND = """
import socket, sys, time
opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
opened.bind(("far", 0))
for raw in sys.argv[1:]:
    opened.send(bytes.fromhex(raw))
"""


class Cable:
    """A veth pair between two namespaces; the name of the one that listens is ``near``."""

    def __init__(self, folder):
        self.folder = folder
        number = f"{os.getpid()}-{next(NUMBER)}"
        self.near, self.far = f"roost-lldp-n{number}", f"roost-lldp-f{number}"

    def lay(self):
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "add", name], check=True)
        ends = ("near", "netns", self.near, "type", "veth", "peer", "name", "far")
        done = subprocess.run(
            ["ip", "link", "add", *ends, "netns", self.far], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"kernel lacks veth: {done.stderr.decode().strip()}")
        for name, end in ((self.near, "near"), (self.far, "far")):
            subprocess.run(["ip", "-n", name, "link", "set", end, "up"], check=True)

    def listening(self, listen_ms):
        return subprocess.Popen(
            [
                *("ip", "netns", "exec", self.near, sys.executable, "-c", LISTEN),
                *(str(self.folder), str(listen_ms)),
            ],
            stdout=subprocess.PIPE,
        )

    def send(self, *frames):
        words = ["ip", "netns", "exec", self.far, sys.executable, "-c", SEND]
        subprocess.run([*words, *(each.hex() for each in frames)], check=True)

    def found(self):
        raw = (self.folder / FILE).read_bytes()
        return section_of(msgspec.json.decode(raw, type=Windows)).items

    def take_up(self):
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.fixture
def cable(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("kernel lacks network namespaces for this user: not root")
    laid = Cable(tmp_path)
    laid.lay()
    yield laid
    laid.take_up()


def hears(cable, *frames, listen_ms=600):
    with cable.listening(listen_ms) as listener:
        assert listener.stdout.readline() == b"ready\n"
        time.sleep(0.2)  # until its socket is bound
        if frames:
            cable.send(*frames)
    return cable.found()


def test_a_switch_at_the_end_of_the_cable_is_a_neighbour_whichever_group_it_sends_to(cable):
    for number, group in enumerate(GROUPS):
        found = hears(cable, switch(f"sw{number}", to=group, port=b"\5e%d" % number))
        assert found[f"near 02:00:00:00:00:01 e{number}"]["system_name"] == f"sw{number}"
    assert len(found) == len(GROUPS), "those of earlier windows have not ended"


def test_an_entry_ends_when_no_later_window_hears_it_and_at_once_when_taken_back(cable):
    assert list(hears(cable, switch(ttl=1), switch(ttl=100, port=b"\5e2"))) == [
        "near 02:00:00:00:00:01 e2"
    ], "the same sender: its last word counts"
    assert len(hears(cable)) == 1
    assert hears(cable, switch(ttl=0, port=b"\5e2")) == {}


def test_a_time_to_live_that_passed_ends_an_entry(cable):
    assert len(hears(cable, switch(ttl=1))) == 1
    time.sleep(1)
    assert hears(cable, listen_ms=50) == {}


@pytest.fixture
def open_folder():
    with tempfile.TemporaryDirectory(prefix="roost-lldpd-") as folder:
        Path(folder).chmod(0o755)  # the other half of an lldpd runs as a user of its own
        yield folder


def begin(control):
    """Tell an lldpd to begin, and to say its word now."""
    for word in ("resume", "update"):
        tries = (subprocess.call([*control, word], **SILENT) for _ in range(TRIES))
        assert any(status == 0 or time.sleep(0.1) for status in tries)


def test_a_real_lldpd_tells_what_it_was_told_to_tell(cable, open_folder):
    path = f"{os.environ['PATH']}:/usr/sbin"
    program, client = shutil.which("lldpd", path=path), shutil.which("lldpcli", path=path)
    if program is None or client is None:
        pytest.skip("lldpd absent")
    control = (client, "-u", f"{open_folder}/lldpd.sock")
    words = (program, "-d", *control[1:], "-I", "far")
    told = ("-S", "Acme OS 7", "-m", "192.0.2.1")
    with cable.listening(LLDPD_MS) as listener:
        assert listener.stdout.readline() == b"ready\n"
        lldpd = subprocess.Popen(["ip", "netns", "exec", cable.far, *words, *told], **SILENT)
        try:
            begin(control)
            listener.wait(LLDPD_MS / 1_000 + 5)
        finally:
            lldpd.terminate()
            lldpd.wait(10)
    (item,) = cable.found().values()
    assert item["description"] == "Acme OS 7"
    assert item["management_addresses"] == ["192.0.2.1"]
    assert item["port_description"] == "far"
    assert (item["chassis_id_type"], item["port_id_type"], item["ttl_s"]) == ("mac", "mac", 120)
