"""The agent's part, with a real outbox, real alarms, and root's one-shot over a tree of files."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing

import msgspec
import pytest
from config_root import ONE, RESTARTS, TWO, ConfigRoot, window

from roost_agent.alarm_types import CONFIG_DRIFT, CONFIG_FAILED, CONFIG_TYPES, shipped
from roost_agent.alarms.service import Alarms
from roost_agent.config import OutboxConfig
from roost_agent.config_apply import core
from roost_agent.config_apply.job_file import job_file
from roost_agent.config_apply.look import look
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.program import Program
from roost_agent.config_apply.sections.kernel import Kernel
from roost_agent.config_apply.service import (
    REAPPLY_MAX,
    HeldError,
    NotAppliedError,
    RootPart,
    Settings,
)
from roost_agent.config_apply.told import Told, read, write
from roost_agent.errors import AgentError
from roost_agent.outbox.spool import FILE, Spool
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.codec import Decoder
from roost_protocol.config_report import ConfigReport
from roost_protocol.order import body_digest

LIMITS = OutboxConfig(8 << 20, 3_600_000, 1 << 20, 3_600_000)
SWAPPINESS = "proc/sys/vm/swappiness"


class SteppedClock(SystemClock):
    """One that somebody sets."""

    step_ms = 0

    def wall_ms(self):
        return super().wall_ms() + self.step_ms


class SmallHost:
    def __init__(self):
        self.changes = 0
        self.reached = True
        self.used = None
        self.uses = []  # everything that it was to go by
        self.ends = False  # it takes a start to go by other settings
        self.cannot = []
        self.by_centre = None

    def changed(self):
        self.changes += 1

    def use(self, own):
        self.used = (own.thresholds, own.level)
        self.uses.append(own)
        return not self.ends

    def refusals(self, said):
        return [text for text in self.cannot if said]

    def is_reached(self, since_ms, *, by_centre):
        self.by_centre = by_centre
        return self.reached


class Node:
    """One agent's settings; the helper is a thread that runs root's program."""

    def __init__(self, folder, clock):
        self.root = ConfigRoot(folder)
        self.host = SmallHost()
        self.clock = clock
        self.folder = folder
        self.spool = Spool(folder, LIMITS, clock=clock, entropy=SystemEntropy())
        self.alarms = Alarms(self.spool, clock, shipped())
        self.asked = []
        self.fault = None
        self.settings = self.fresh_settings()

    def fresh_settings(self):
        """Return those of an agent that begins."""
        given = self.root.given
        part = RootPart(
            (self.root.pen.known(),), self.ask, self.look, jobs=given.jobs, told=given.told
        )
        return Settings(self.host, self.spool, self.clock, self.alarms, part)

    async def ask(self, verb, digest):
        if self.fault is not None:
            raise self.fault
        self.asked.append(verb)
        if verb == "config_apply":
            program = Program(self.root.given, wall_ms=self.clock.wall_ms)
            await asyncio.to_thread(program.apply, digest)

    async def look(self):
        return look(read(self.root.given.told), Machine(self.root.given.root))

    async def apply(self, sections, **changes):
        """Apply a document as an order does."""
        digest = self.root.job(sections, **changes)
        path = job_file(self.root.given.jobs, digest)
        message = msgspec.msgpack.decode(path.read_bytes())["message"]
        path.unlink()
        return await self.settings.apply(message, self.root.seq, digest)

    @asynccontextmanager
    async def running(self):
        await self.spool.open()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.spool.run(lambda event: None))]
            await self.alarms.open(CONFIG_TYPES)
            tasks.append(group.create_task(self.alarms.run()))
            yield self
            for task in tasks:
                task.cancel()
        await self.spool.close()

    def standing(self):
        return {key: row.text for key, row in self.alarms.table.rows.items()}

    async def reports(self):
        for _ in range(400):
            if self.spool.is_idle:
                break
            await asyncio.sleep(0.01)
        with closing(sqlite3.connect(self.folder / FILE)) as disk:
            rows = disk.execute("SELECT body FROM item WHERE kind = 'config' ORDER BY seq")
            return [Decoder[ConfigReport](ConfigReport).decode(body) for (body,) in rows]


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path, SteppedClock())


def set_by_other_hands(node, text="60\n"):
    (node.root.tree / SWAPPINESS).write_text(text)


async def test_before_the_first_document_a_beat_tells_that_nothing_is_applied(node):
    async with node.running():
        await node.settings.look()
        mark = node.settings.mark
        assert (mark.gen, mark.digest) == (0, bytes.fromhex(body_digest(b"\x80"))[:8])
        assert await node.reports() == []


async def test_what_is_applied_is_told_by_beat_and_report(node):
    async with node.running():
        assert await node.apply(ONE) == "applied"
        assert node.settings.mark.gen == 1
        assert node.settings.mark.digest.hex() == node.settings.digest[:16]
        assert node.host.changes == 1
        [report] = await node.reports()
        assert (report.state, report.applied_gen, report.drift) == ("applied", 1, [])
        assert list(node.root.given.jobs.iterdir()) == []


async def test_the_agent_goes_by_its_own_settings_until_they_are_gone(node):
    own = {"thresholds": {"node.cpu.high": {"major": 70}}, "log": {"level": "debug"}}
    async with node.running():
        await node.apply(own)
        assert node.host.used == ({"node.cpu.high": {"major": 70}}, "debug")
        node.host.used = None
        await node.settings.look()
        assert node.host.used is None  # nothing new
        await node.apply({})
        assert node.host.used == ({}, "")


async def test_what_waits_for_a_reboot_is_said(node):
    async with node.running():
        said = await node.apply({"kernel": {"cmdline": {"isolcpus": "2-3"}}})
        assert said == "applied; waits for a reboot: kernel.cmdline.isolcpus"
        assert node.settings.mark.pending_reboot


async def test_what_a_machine_cannot_be_is_an_alarm_of_its_section_until_the_next(node):
    async with node.running():
        with pytest.raises(NotAppliedError, match="node7") as refused:
            await node.apply({"memory": {"hugepages": {"2M": {"node7": 1}}}})
        assert refused.value.code == "impossible"
        [(key, text)] = node.standing().items()
        assert key == (CONFIG_FAILED, "section=memory")
        assert "node7" in text
        await node.apply(ONE)
        assert node.standing() == {}


async def test_a_roll_back_is_an_alarm_with_the_reason_and_what_was_applied_counts(node):
    async with node.running():
        await node.apply(ONE)
        (node.root.tree / "etc/.resolv.conf.roost").mkdir()  # where the new file would be
        with pytest.raises(NotAppliedError):
            await node.apply(TWO)
        assert {key[0] for key in node.standing()} == {CONFIG_FAILED}
        assert node.settings.mark.gen == 1
        report = (await node.reports())[-1]
        assert (report.desired_gen, report.applied_gen) == (2, 1)


async def test_drift_is_an_alarm_a_number_in_the_beat_and_told_once(node):
    async with node.running():
        await node.apply(ONE)
        set_by_other_hands(node)
        await node.settings.look()
        await node.settings.look()
        assert node.settings.mark.drift == 1
        [(key, text)] = node.standing().items()
        assert key == (CONFIG_DRIFT, "section=kernel")
        assert 'kernel.sysctl."vm.swappiness" is 60, not 10' in text
        reports = await node.reports()
        assert len(reports) == 2
        assert reports[-1].drift_count == 1
        assert reports[-1].sections["kernel"].state == "drifted"
        set_by_other_hands(node, "10\n")
        await node.settings.look()
        assert (node.standing(), node.settings.mark.drift) == ({}, 0)


async def test_drift_of_a_section_that_says_so_is_applied_again_within_its_bound(node, monkeypatch):
    monkeypatch.setattr("roost_agent.config_apply.service.LOOK_S", 0.0)
    document = {"kernel": {"sysctl": {"vm.swappiness": 10}, "drift": "reapply"}}
    async with node.running():
        await node.apply(document)
        task = asyncio.create_task(node.settings.run())
        for _ in range(REAPPLY_MAX):
            set_by_other_hands(node)
            for _ in range(200):
                await asyncio.sleep(0.05)
                if node.root.files[SWAPPINESS] == "10\n":
                    break
        set_by_other_hands(node)
        await asyncio.sleep(1.0)
        task.cancel()
        assert node.root.files[SWAPPINESS] == "60\n"
        assert node.asked == ["config_apply"] * (REAPPLY_MAX + 1)


async def test_a_helper_that_says_no_is_told(node):
    async with node.running():
        node.fault = AgentError("helper: rate: ask again later")
        with pytest.raises(NotAppliedError, match="ask again later") as refused:
            await node.apply(ONE)
        assert refused.value.code == "helper"


async def test_root_is_told_that_the_node_is_reached_when_it_is(node):
    digest = "0a" * 32
    folder = node.root.given.told
    waiting = Told(seq=7, digest=digest, waits_ms=node.clock.boot_ms() + 120_000)

    async def ask(verb, _digest):
        node.asked.append(verb)
        end = Told(seq=7, digest=digest, state="applied", applied_digest="")
        write(folder, waiting if verb == "config_apply" else end)

    node.settings._root = RootPart((), ask, node.look, jobs=node.root.given.jobs, told=folder)
    async with node.running():
        node.host.reached = False
        task = asyncio.create_task(node.settings.apply(b"", 7, digest))
        await asyncio.sleep(3.0)
        assert node.asked == ["config_apply"]
        node.host.reached = True
        assert await task == "applied"
        assert node.asked == ["config_apply", "config_confirm"]
        assert node.host.by_centre is False


def on_trial(node, trial, *, seq=7):
    """Have root tell that it waits, and that all is well once it hears of it; return the digest."""
    digest, folder = "0a" * 32, node.root.given.told
    waits_ms = node.clock.boot_ms() + 120_000
    waiting = Told(
        seq=seq,
        digest=digest,
        waits_ms=waits_ms,
        trial=trial,
        applied_desired=3,
        applied_digest="0b" * 32,
    )

    async def ask(verb, _digest):
        node.asked.append(verb)
        end = Told(seq=seq, digest=digest, state="applied", applied=trial)
        write(folder, waiting if verb == "config_apply" else end)

    node.settings._root = RootPart((), ask, node.look, jobs=node.root.given.jobs, told=folder)
    return digest, waiting


async def test_what_is_tried_is_gone_by_before_root_is_told_that_the_node_is_reached(
    node, monkeypatch
):
    monkeypatch.setattr("roost_agent.config_apply.service.ASK_S", 0.1)
    trial = {"paths": {"wan": {"w1": {"interface": "wwan0"}}}}
    digest, _ = on_trial(node, trial)
    async with node.running():
        node.host.reached = False
        task = asyncio.create_task(node.settings.apply(b"", 7, digest))
        for _ in range(100):
            await asyncio.sleep(0.05)
            if node.host.uses:
                break
        assert node.host.uses[0].paths.sources == {"w1": "wwan0"}
        assert node.settings.tried == digest
        node.host.reached = True
        assert await task == "applied"
        assert node.settings.tried == ""


async def test_an_agent_that_has_to_start_anew_for_it_leaves_the_word_to_the_next(node):
    trial = {"ha": {"groups": {"db": {"preempt_s": 60}}}}
    digest, _ = on_trial(node, trial)
    node.host.ends = True
    async with node.running():
        task = asyncio.create_task(node.settings.apply(b"", 7, digest))
        await asyncio.sleep(1.5)
        task.cancel()
        assert node.asked == ["config_apply"]
        # The next one begins with what is tried, and says that it is reached: by the centre alone.
        node.host.ends = False
        node.settings = node.fresh_settings()
        on_trial(node, trial)
        assert node.settings.own().ha == trial["ha"]
        running = asyncio.create_task(node.settings.run())
        for _ in range(100):
            await asyncio.sleep(0.05)
            if node.asked[-1] == "config_confirm":
                break
            assert node.settings.mark.gen in {0, 3}
        assert node.host.by_centre is True
        assert node.settings.mark.gen == 3  # what counts meanwhile is told, not nothing
        running.cancel()
        assert node.asked == ["config_apply", "config_confirm"]


async def test_what_this_agent_cannot_go_by_is_refused_before_root_is_asked(node):
    node.host.cannot = ["paths.wan.w9: there is no such WAN path; there is w1"]
    async with node.running():
        with pytest.raises(NotAppliedError, match=r"paths\.wan\.w9") as refused:
            await node.apply({"paths": {"wan": {"w9": {"priority": 1}}}})
        assert refused.value.code == "impossible"
        assert node.asked == []


async def test_what_waits_for_a_window_is_taken_up_and_applied_when_it_opens(node):
    async with node.running():
        await node.apply(ONE)
        with pytest.raises(HeldError, match=r"time\.servers: waits for the window that opens"):
            await node.apply(RESTARTS | {"update-window": window(opens_in_h=6)})
        assert node.settings.mark.gen == 1
        report = (await node.reports())[-1]
        assert (report.state, report.desired_gen, report.code) == ("waiting", 2, "window")
        assert report.sections["time"].state == "waiting"
        assert node.standing() == {}
        # Putting back what is applied does not forget what waits.
        Program(node.root.given).boot()
        await node.settings.look()
        assert (await node.reports())[-1].state == "waiting"


async def test_the_agent_has_what_waits_applied_once_its_window_is_open(node, monkeypatch):
    monkeypatch.setattr("roost_agent.config_apply.service.LOOK_S", 0.05)
    hours_ms = 6 * 3_600_000 + 2_400_000

    async with node.running():
        await node.apply(ONE)
        with pytest.raises(HeldError):
            await node.apply(RESTARTS | {"update-window": window(opens_in_h=6)})
        running = asyncio.create_task(node.settings.run())
        await asyncio.sleep(0.5)
        assert node.asked == ["config_apply"] * 2  # nobody asks before
        node.clock.step_ms = hours_ms
        for _ in range(100):
            await asyncio.sleep(0.05)
            if node.settings.mark.gen == 2:
                break
        running.cancel()
        assert node.settings.mark.gen == 2
        assert (await node.reports())[-1].state == "applied"


async def test_what_is_put_back_does_not_end_the_alarm_of_a_newer_document(node):
    async with node.running():
        await node.apply(ONE)
        with pytest.raises(NotAppliedError):
            await node.apply({"memory": {"hugepages": {"2M": {"node7": 1}}}})
        Program(node.root.given).apply(node.settings.digest)  # as drift is put back
        await node.settings.look()
        assert node.standing().keys() == {(CONFIG_FAILED, "section=memory")}
        assert (await node.reports())[-1].state == "refused"
        Program(node.root.given).boot()
        await node.settings.look()
        assert node.standing().keys() == {(CONFIG_FAILED, "section=memory")}
        await node.apply(TWO)
        assert node.standing() == {}


async def test_while_a_document_is_on_its_way_nothing_is_looked_at_and_nothing_told(
    node, monkeypatch
):
    """The machine is like neither of two documents: that is no drift, and no end of either."""
    monkeypatch.setattr("roost_agent.config_apply.service.LOOK_S", 0.05)
    folder = node.root.given.told
    async with node.running():
        await node.apply({"kernel": {"sysctl": {"vm.swappiness": 10}, "drift": "reapply"}})
        waiting = msgspec.structs.replace(
            read(folder), seq=7, digest="0a" * 32, state=None, waits_ms=1 << 60
        )

        async def ask(verb, _digest):
            node.asked.append(verb)
            set_by_other_hands(node)
            write(folder, waiting)

        node.settings._root = RootPart((), ask, node.look, jobs=node.root.given.jobs, told=folder)
        node.host.reached = False
        told = await node.reports()
        applying = asyncio.create_task(node.settings.apply(b"", 7, waiting.digest))
        running = asyncio.create_task(node.settings.run())
        await asyncio.sleep(1.0)
        assert (node.standing(), node.settings.mark.drift) == ({}, 0)
        applying.cancel()  # an agent that starts anew looks at once: root waits still
        await asyncio.sleep(0.5)
        running.cancel()
        await node.settings.look()
        assert (node.standing(), node.settings.mark.drift) == ({}, 0)
        assert await node.reports() == told
        assert node.asked == ["config_apply", "config_apply"]


async def test_the_word_of_root_about_another_document_is_not_taken_for_the_end(node, monkeypatch):
    monkeypatch.setattr("roost_agent.config_apply.service.APPLY_S", 1.5)
    folder = node.root.given.told

    async def ask(_verb, _digest):
        write(folder, Told(seq=8, digest="0b" * 32, state="applied"))

    node.settings._root = RootPart((), ask, node.look, jobs=node.root.given.jobs, told=folder)
    async with node.running():
        with pytest.raises(NotAppliedError, match="did not tell"):
            await node.settings.apply(b"", 7, "0a" * 32)


def test_the_two_minutes_are_longer_than_the_agents_steps():
    assert core.CONFIRM_MS == 120_000
    assert not Kernel().needs_confirm
