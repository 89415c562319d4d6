"""The child that polls boards for a centre, as it is started, with Redfish services over TLS."""

import asyncio
import contextlib
import shutil
import sys

import msgspec
import pytest
from board_controllers import PASSWORD, USER, UUID, Service, free_port, machine
from redfish_bmc import certificate

from roost_agent.bmc.fleet import board_of
from roost_protocol.board_lines import (
    MODULE,
    Alive,
    LearnAnew,
    PollBoards,
    Polled,
    ReachBoard,
    Reached,
    Told,
    read_word,
)
from roost_protocol.boards import BoardAccess, Group, GroupSettings, SensorSettings

pytestmark = [
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl"),
    pytest.mark.timeout(120),
]
ENOUGH_S = 60
PATH = "/redfish/v1/Chassis/1/Sensors/S1"


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


def polled(node, port, *, learned=None, **sensors):
    access = BoardAccess(host="127.0.0.1", port=port, user=USER, password=PASSWORD, type="redfish")
    settings = SensorSettings(interval_s=10, **sensors)
    return Polled(node=node, access=access, sensors=settings, learned=learned or {})


class Child:
    def __init__(self, process):
        self.process = process
        self.raw = []

    def say(self, line):
        self.process.stdin.write(msgspec.json.encode(line) + b"\n")

    async def word(self, wanted, true=lambda _word: True):
        async with asyncio.timeout(ENOUGH_S):
            while True:
                line = await self.process.stdout.readline()
                assert line, (await self.process.stderr.read()).decode()
                self.raw.append(line)
                word = read_word(line)
                if isinstance(word, wanted) and true(word):
                    return word


@contextlib.asynccontextmanager
async def running(*boards, status=0):
    ways = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", MODULE, limit=1 << 24, **ways
    )  # fmt: skip
    child = Child(process)
    child.say(PollBoards(list(boards)))
    try:
        yield child
        process.stdin.close()
        async with asyncio.timeout(ENOUGH_S):
            assert await process.wait() == status, "it ends where its input ends"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    complaint = (await process.stderr.read()).decode()
    assert PASSWORD not in complaint
    assert PASSWORD.encode() not in b"".join(child.raw)


async def test_a_board_is_told_with_its_alarms_and_again_when_they_change(pem):
    with Service(pem, machine(2)) as service:
        service.resources[PATH]["Reading"] = 500
        async with running(polled("lab.n1", service.port)) as child:
            told = await child.word(Told)
            assert (told.node, told.report.node, told.report.uuid) == ("lab.n1", "n1", UUID)
            hot = {each.entity: each.severity for each in told.found if each.severity}
            assert hot == {"bmc=n1,sensor=Sensor 1": 3}
            assert told.learned["pin"]
            service.resources[PATH]["Reading"] = 20
            child.say(LearnAnew("lab.n1"))
            told = await child.word(Told)
            assert not any(each.severity for each in told.found)


def test_no_machine_is_acted_on_for_what_the_centre_reads():
    groups = {
        group: GroupSettings(minor="log", critical=what)
        for group, what in zip(Group, ("reset", "power-cycle", "log", "ignore"), strict=False)
    }
    found = board_of(polled("lab.n1", 443, groups=groups)).groups
    assert [each.critical for each in found.values()] == ["alarm", "alarm", "log", "ignore"]
    assert {each.minor for each in found.values()} == {"log"}


async def test_what_was_learned_is_given_back_and_another_certificate_is_not_spoken_to(pem):
    with Service(pem, machine()) as service:
        known = {"type": "redfish", "pin": "a" * 64}
        async with running(polled("lab.n1", service.port, learned=known)) as child:
            told = await child.word(Told)
            assert told.report.fault.startswith("tls: ")
            child.say(ReachBoard("lab.n1"))
            tested = await child.word(Reached)
            assert (tested.node, tested.fault) == ("lab.n1", "tls")
            child.say(LearnAnew("lab.n1"))
            told = await child.word(Told)
            assert not told.report.fault
            child.say(ReachBoard("lab.n1"))
            tested = await child.word(Reached)
            assert "by redfish, power on" in tested.text


async def test_a_silent_board_holds_up_nobody_and_another_list_stands_in_place_of_the_first(pem):
    with Service(pem, machine()) as silent, Service(pem, machine()) as well:
        silent.hang.set()
        ill = polled("lab.n0", silent.port, learned={"failures": 1})
        async with running(ill, polled("lab.n1", well.port)) as child:
            told = await child.word(Told, lambda word: word.node == "lab.n1")
            assert not told.report.fault
            child.say(PollBoards([polled("lab.n2", free_port())]))
            assert (await child.word(Alive, lambda word: word.boards == 1)).late == 0
            told = await child.word(Told, lambda word: word.node == "lab.n2")
            assert told.report.fault.startswith("unreachable")
            child.say(ReachBoard("lab.n1"))
            assert (await child.word(Reached)).fault == "config"


async def test_a_line_that_makes_no_sense_ends_it():
    async with running(status=2) as child:
        child.process.stdin.write(b"{\n")
