"""The helper as a process: who may ask, what is done, and what a restart remembers."""

import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from waiting import wait_until

from roost_agent.discovery import dmi
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.root_facts import borrow
from roost_agent.helper.program import Given
from roost_agent.helper.program import Helper as Loop
from roost_agent.helper.sockets import listening
from roost_agent.helper_client import HelperError, HelperGoneError

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
AGENT = 65534  # nobody, in the agent's place
NONCES = [f"{each:032x}" for each in range(9)]


def sent(helper, raw):
    """The answer to raw bytes."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(helper.socket)
        client.sendall(raw)
        found = b""
        while chunk := client.recv(4_096):
            found += chunk
    (size,) = struct.unpack(">I", found[:4])
    assert len(found) == 4 + size
    return json.loads(found[4:])


def frame(body):
    return struct.pack(">I", len(body)) + body


def test_a_unit_of_the_catalogue_is_started_with_an_empty_environment(helpers):
    helper = helpers()
    helper.start()
    helper.ask("unit_start", name="pump")
    helper.ask("unit_stop", name="pump")
    start, stop = helper.asked()
    assert start["words"] == ["--no-ask-password", "start", "--", "pump.service"]
    assert stop["words"] == ["--no-ask-password", "stop", "--", "pump.service"]
    assert set(start["env"]) <= {"PWD", "SHLVL", "_", "LC_CTYPE"}  # a shell's own, none of ours


def test_what_systemd_says_of_a_failure_reaches_who_asked(helpers):
    helper = helpers()
    helper.start()
    with pytest.raises(HelperError, match=r"failed: Job for broken\.service failed"):
        helper.ask("unit_start", name="broken")


def test_the_catalogue_is_looked_at_for_each_request(helpers, folder):
    helper = helpers()
    helper.start()
    (folder / "units.toml").chmod(0o666)
    with pytest.raises(HelperError, match=r"catalogue: .*others may write to it"):
        helper.ask("unit_start", name="pump")
    assert helper.asked() == []


@needs_root
def test_nobody_else_may_ask_even_where_the_socket_is_open_to_all(helpers):
    helper = helpers(user=AGENT)
    helper.start()
    file = Path(helper.socket)
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (AGENT, 0o600)
    file.chmod(0o666)
    with pytest.raises(HelperGoneError):
        helper.ask("unit_start", name="pump")
    assert helper.asked() == []
    assert f"user 0: refused, only user {AGENT} may ask" in helper.log.read_text()


def test_a_reboot_is_on_disk_before_it_is_done_and_kill_9_forgets_none(helpers):
    helper = helpers()
    helper.start()
    for nonce in NONCES[:2]:
        helper.ask("reboot", reason="kernel", nonce=nonce)
        assert nonce in helper.asked()[-1]["on_disk"]
        helper.kill()
        helper.start()
    with pytest.raises(HelperError, match="replayed"):
        helper.ask("reboot", reason="kernel", nonce=NONCES[1])
    with pytest.raises(HelperError, match="budget: 2 ordered reboots within 24 h"):
        helper.ask("reboot", reason="kernel", nonce=NONCES[2])
    assert len(helper.asked()) == 2


def test_a_reboot_that_cannot_be_counted_is_not_done(helpers, folder):
    helper = helpers()
    helper.start()
    (folder / "state").rmdir()
    with pytest.raises(HelperError, match=r"state: .*what is not counted is not done"):
        helper.ask("reboot", reason="kernel", nonce=NONCES[0])
    assert helper.asked() == []


def test_a_slow_unit_keeps_nobody_waiting_and_a_few_run_at_a_time(helpers, folder):
    helper = helpers()
    helper.start()
    with ThreadPoolExecutor(4) as threads:
        slow = [threads.submit(helper.ask, "unit_start", name="slow") for _ in range(3)]
        wait_until(lambda: len(helper.asked()) == 3, "three wait")
        helper.ask("unit_start", name="pump")
        slow.append(threads.submit(helper.ask, "unit_start", name="slow"))
        wait_until(lambda: len(helper.asked()) == 5, "four wait")
        with pytest.raises(HelperError, match="busy: 4 requests run already"):
            helper.ask("unit_start", name="pump")
        (folder / "go").touch()
        assert [each.result(30) for each in slow] == [None] * 4


def test_a_peer_that_dawdles_or_breaks_off_costs_a_second_at_most(helpers):
    helper = helpers()
    helper.start()
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(helper.socket)
        client.sendall(struct.pack(">I", 100) + b"{")
        helper.ask("unit_start", name="pump")  # behind it
        assert json.loads(client.recv(4_096)[4:])["detail"] == "frame: not whole after 1000 ms"
    assert time.monotonic() - began < 30
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(helper.socket)
        client.sendall(b"\0\0")
    helper.ask("unit_stop", name="pump")


def test_more_than_the_rate_is_refused_and_logged_once(helpers):
    helper = helpers()
    helper.start()
    answers = [sent(helper, frame(b'{"verb":"facts","name":"no"}')) for _ in range(40)]
    assert [each["error"] for each in answers] == ["unknown"] * 30 + ["rate"] * 10
    assert helper.log.read_text().count("refused: rate") == 1


def test_hostile_frames_run_nothing_but_what_the_list_names(helpers, folder):
    """Whatever is sent, no program but the service manager's is started, with words of ours."""
    assert shutil.which("strace")
    trace = folder / "trace"
    strace = ("strace", "-f", "-qq", "-e", "trace=execve", "-s", "200", "-o", str(trace))
    helper = helpers(before=strace)
    helper.start()
    dice = random.Random(6)  # noqa: S311 - a seed that repeats
    words = ["pump", "pump; reboot", "../../bin/sh", "$(id)", "--help", "pump\n", "\ud800", ""]
    for turn in range(300):
        table = {
            "verb": dice.choice(["unit_start", "unit_stop", "exec", "stage", "reboot", "facts"]),
            dice.choice(["name", "path", "digest"]): dice.choice(words),
        }
        if table["verb"] == "reboot":  # the nonce is right, so that the reason is looked at
            table = {"verb": "reboot", "reason": dice.choice(["", True]), "nonce": "0" * 32}
        body = bytearray(json.dumps(table).encode())
        if turn % 2:
            body[dice.randrange(len(body))] = dice.randrange(256)
        answer = sent(helper, frame(bytes(body)))
        assert answer["ok"] or answer["error"] in {"bad", "rate", "unknown"}
    os.kill(int(trace.read_text().split()[0]), signal.SIGTERM)  # strace ends with what it traces
    wait_until(lambda: not helper.is_running(), "the helper ends")
    started = re.findall(r'execve\("([^"]*)", \[([^\]]*)\]', trace.read_text())
    ours = {str(folder / "systemctl"), "/bin/sh"}
    for program, argv in started:
        is_python = Path(program).name.startswith("python")
        assert is_python or program in ours
        assert "reboot" not in argv
        assert "pump;" not in argv
    allowed = {("start", "--", "pump.service"), ("stop", "--", "pump.service")}
    assert {tuple(each["words"][1:]) for each in helper.asked()} <= allowed


def test_a_socket_that_was_handed_over_is_served(helpers):
    if shutil.which("systemd-socket-activate") is None:
        pytest.skip("no systemd-socket-activate")
    helper = helpers()
    helper.start(activated=True)
    helper.ask("unit_start", name="pump")
    assert len(helper.asked()) == 1
    helper.ask("unit_start", name="pump")  # the same process goes on
    assert len(helper.asked()) == 2


def test_it_ends_when_nobody_asks(helpers, folder):
    helper = helpers()
    given = Given(os.geteuid(), idle_ms=50, units=str(folder / "units.toml"))
    helper.socket = str(folder / "own.sock")
    with (
        ThreadPoolExecutor(1) as thread,
        closing(listening(helper.socket, os.geteuid())) as listener,
    ):
        loop = Loop(given, listener)
        assert loop.turn() is False
        asked = thread.submit(helper.ask, "facts", name="no")
        assert wait_until(loop.turn, "a request comes")
        with pytest.raises(HelperError, match="unknown"):
            asked.result(10)


def denied_to_the_agent(folder):
    """A tree whose serial number and SMBIOS table root alone may read, as sysfs has them."""
    tree, lent = folder / "tree", folder / "lent"
    for path, mode, raw in (
        ("sys/class/dmi/id/product_name", 0o444, b"Edge 1\n"),
        ("sys/class/dmi/id/product_serial", 0o400, b"SN-4711\n"),
        ("sys/firmware/dmi/tables/DMI", 0o400, bytes(4)),
    ):
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
        file.chmod(mode)
    lent.mkdir(mode=0o750)
    os.chown(lent, 0, AGENT)
    return tree, lent


def probed_as_the_agent(tree, lent):
    """The fields and the gaps of the item ``system``, read by an unprivileged child."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(AGENT, AGENT, AGENT)
            os.setresuid(AGENT, AGENT, AGENT)
            section = dmi.system(Reader(str(tree), str(lent)))
            os.write(writer, json.dumps([section.items, section.missing]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as stream:
        items, missing = json.loads(stream.read())
    return items["system"], missing


@needs_root
def test_the_serial_number_that_only_root_reads_reaches_an_unprivileged_probe(helpers, folder):
    tree, lent = denied_to_the_agent(folder)
    item, missing = probed_as_the_agent(tree, lent)
    assert item["product_name"] == "Edge 1"
    assert missing["system.product_serial"] == "denied"

    helper = helpers()
    helper.start()
    machine = Reader(str(tree), str(lent))
    borrow(("cpu",), machine, socket=helper.socket)  # it reads nothing of root's
    assert helper.asked() == []
    borrow((), machine, socket=helper.socket)
    item, missing = probed_as_the_agent(tree, lent)
    assert item["product_serial"] == "SN-4711"
    assert "system.product_serial" not in missing
    copy = lent / "sys/class/dmi/id/product_serial"
    assert (copy.stat().st_uid, copy.stat().st_gid, copy.stat().st_mode & 0o777) == (
        0,
        AGENT,
        0o640,
    )


def test_without_a_helper_or_with_one_that_refuses_a_probe_goes_on(helpers, folder, caplog):
    tree, lent = denied_to_the_agent(folder)
    machine = Reader(str(tree), str(lent))
    borrow((), machine, socket=str(folder / "none.sock"))
    assert caplog.text == ""
    helper = helpers()
    helper.start()
    for _ in range(31):
        sent(helper, frame(b'{"verb":"stage"}'))
    borrow(("dmi",), machine, socket=helper.socket)
    assert "without root's facts (dmi): helper: rate" in caplog.text


def test_a_helper_that_is_gone_is_told_from_one_that_refuses(helpers):
    helper = helpers()
    with pytest.raises(HelperGoneError, match="No such file"):
        helper.ask("facts", name="dmi")
