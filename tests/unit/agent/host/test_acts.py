"""Acts on hosts of a small site that shares one loop: checked, kept, done, gone on with."""

import asyncio
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_agent.host import acts as acts_module
from roost_agent.host import leaving as leaving_module
from roost_agent.host import shell as shell_module
from roost_agent.host import transitions as tr
from roost_agent.host.act import ActRefusedError, Wanted
from roost_agent.host.around import Giving
from roost_agent.host.coordinator import Coordinator
from roost_agent.host.enable import Facts
from roost_agent.host.kept import Locked, read, read_locked
from roost_agent.host.on_demand import ActsOnDemand
from roost_agent.host.reasons import Degraded
from roost_agent.host.shell import HostShell, Who
from roost_agent.host.sight import Sight
from roost_agent.ports import SystemClock
from roost_protocol.catalogue import ALARM_TEXT_BYTES_MAX
from roost_protocol.host import Admin, HostSaid
from roost_protocol.host_word import Going, HostWord, unpack
from roost_protocol.severity import Severity

BOOT = "aa" * 16


class Lan:
    """What the hosts of a site hear of one another: their last word, as of when it was said."""

    def __init__(self, *names):
        self.names = names
        self.words = dict.fromkeys(names, HostWord())
        self.said_ms = dict.fromkeys(names, -1)
        self.goings = set()  # all that were told
        self.runs = {}  # group -> host
        self.clock = SystemClock()
        self.stuck = set()  # groups that do not move
        self.silent = set()
        self.absent = frozenset()  # as who coordinates tells it
        self.anew = frozenset()  # the same
        self.told_anew = frozenset()  # what it told of that


class Seat:
    """One host's seat at the LAN; see Site."""

    is_ready = True
    beat_ms = 0

    def __init__(self, lan, name):
        self.lan, self.name = lan, name
        self.others = tuple(each for each in lan.names if each != name)
        self.bar = self.stop = ""
        self.spares = ""

    def absent(self):
        first = min(self.lan.names)
        is_cut = {self.name, first} & self.lan.silent
        return None if self.name == first or is_cut else (first, self.lan.absent)

    def anew(self):
        return "n1" if self.name in self.lan.anew and self.turn() is None else ""

    def tell(self, word, bar, stop, absent=(), anew=()):
        self.bar, self.stop = bar, stop
        if self.turn() is not None:
            self.lan.absent, self.lan.told_anew = frozenset(absent), frozenset(anew)
        self.word = unpack(word)
        self.lan.goings.add((self.name, self.word.going))
        self.beat()

    def beat(self):
        self.lan.words[self.name] = self.word
        self.lan.said_ms[self.name] = self.lan.clock.boot_ms()

    def turn(self):
        return 7 if self.name == min(self.lan.names) else None

    def sights(self):
        words = self.lan.words
        return [
            Sight(each, each not in self.lan.silent, words[each].state, BOOT, 10_000_000)
            for each in self.others
        ]

    def goings(self):
        lan = self.lan
        return {each: (int(lan.words[each].going), lan.said_ms[each]) for each in self.others}

    def is_with_most(self):
        return True

    def held(self):
        able = [each for each in self.others if self.lan.words[each].state in tr.ENABLED]
        return [
            Giving(group, able[0]) if able else Giving(group, why="all are locked")
            for group, host in self.lan.runs.items()
            if host == self.name
        ]

    def give(self, group, to, why, *, is_chosen=False):
        if group not in self.lan.stuck:
            self.lan.runs[group] = to
        return ""

    def may_go(self):
        return self.spares

    def missing(self):
        return ""

    def runs_nothing(self):
        return self.name not in self.lan.runs.values()


class Around:
    """A host that is well."""

    def __init__(self):
        self.config = ""
        self.failed = ""
        self.wrong = {}
        self.rebooted = []
        self.gone = ""  # of the quorum
        self.starved = 0
        self.no_watchdog = "no guard has a watchdog here"
        self.no_helper = ""
        self.hot = {}  # host to its critical sensor
        self.boards, self.resets, self.no_reset = (), [], ""

    def facts(self):
        return Facts(config=self.config)

    def reasons(self):
        return self.wrong

    async def check(self):
        return self.failed

    def quorum(self):
        return self.gone

    def has_board(self, node):
        return node in self.boards

    def spent(self):
        return ""

    async def reset(self, node, may):
        if why := may() or self.no_reset:
            return why
        self.resets.append(node)
        return ""

    def power(self, node):
        return None

    def ill(self, node):
        return self.hot.get(node, "")

    def look_at_power(self, node):
        """There is no board controller."""

    async def starve(self):
        self.starved += 1
        return self.no_watchdog

    async def reboot(self, reason, nonce):
        if self.no_helper:
            raise ActRefusedError("helper", self.no_helper)
        self.rebooted.append((reason, nonce))


class Outbox:
    """Of a node whose disk does not let it open yet."""

    lanes = MappingProxyType({})


class Host:
    """One host of the site."""

    def __init__(self, lan, folder, name):
        self.seat, self.around = Seat(lan, name), Around()
        coordinator = Coordinator(f"lab.{name}", self.seat, Outbox(), folder)
        self.shell = HostShell(
            folder, Who(name, BOOT), lan.clock, self.around, self.seat, coordinator=coordinator
        )
        self.shell.begin()
        self.acts = ActsOnDemand(self.shell, lambda: "0a")

    async def run(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.shell.run())
            group.create_task(self.acts.run())
            group.create_task(self._beat())

    async def _beat(self):
        while True:
            self.seat.beat()
            await asyncio.sleep(0.005)

    async def act(self, verb, **more):
        return await self.acts.do(Wanted(f"host-{verb}", "ann", "fan", **more))

    @property
    def state(self):
        return self.shell.core.state

    @property
    def serving(self):
        return self.shell.coordinator.serving()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """All is looked at a hundred times as often."""
    for name, seconds in (("POLL_S", 0.002), ("NOBODY_S", 0.05), ("DRAIN_S", 1.0), ("ASK_S", 1.0)):
        monkeypatch.setattr(leaving_module, name, seconds)
    monkeypatch.setattr(leaving_module, "FORCED_S", 0.3)
    monkeypatch.setattr(leaving_module, "RESET_S", 0.05)
    monkeypatch.setattr(acts_module, "STOP_S", 1.0)
    for name in ("LOOK_S", "SETTLING_S", "RETRY_S"):
        monkeypatch.setattr(shell_module, name, 0.005)
    monkeypatch.setattr("roost_agent.host.enable.SOAK_MS", 10)
    monkeypatch.setattr("roost_agent.host.coordinator.TICK_MS", 5)


async def until(is_so):
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - what is looked at is another task's state
            await asyncio.sleep(0.002)


@asynccontextmanager
async def running(folder, *names):
    """A site whose hosts all serve."""
    lan = Lan(*names)
    hosts = {}
    for name in names:
        (folder / name).mkdir(exist_ok=True)
        hosts[name] = Host(lan, folder / name, name)
    tasks = [asyncio.ensure_future(each.run()) for each in hosts.values()]
    try:
        async with asyncio.timeout(10):
            while not all(each.state in tr.ENABLED for each in hosts.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await until(lambda: all(len(each.serving) == len(names) - 1 for each in hosts.values()))
        yield lan, *hosts.values()
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def refused(act):
    with pytest.raises(ActRefusedError) as err:
        await act
    return err.value.code


async def test_a_lock_gives_away_what_runs_there_and_keeps_who_ordered_it(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"] = "n1"
        assert "is locked" in await n1.act("lock")
        assert lan.runs["db"] == "n2"
        assert n1.seat.bar == n1.seat.stop == "the host is locked by ann"
        kept = read(tmp_path / "n1")
        assert (kept.admin, kept.by, kept.reason, kept.pending) == (
            Admin.LOCKED, "ann", "fan", None,
        )  # fmt: skip
        assert await refused(n1.act("lock")) == "state"
        assert "available" in await n1.act("unlock")
        assert n1.seat.bar == ""


async def test_nothing_is_done_of_an_act_that_is_not_kept_first(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"], lan.stuck = "n1", {"db"}
        task = asyncio.ensure_future(n1.act("lock"))
        while read(tmp_path / "n1").pending is None:
            assert n1.seat.bar == "", "what is not on the disk is not begun"
            await asyncio.sleep(0.001)
        assert read(tmp_path / "n1").pending.verb == "host-lock"
        lan.stuck = set()
        await task


async def test_the_next_agent_goes_on_with_what_the_one_before_it_began(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"], lan.stuck = "n1", {"db"}
        task = asyncio.ensure_future(n1.act("lock"))
        while read(tmp_path / "n1").pending is None:  # noqa: ASYNC110 - it is a file
            await asyncio.sleep(0.001)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert read(tmp_path / "n1").pending is not None, "an agent that ends leaves it there"
        again = Host(lan, tmp_path / "n1", "n1")
        assert again.seat.bar, "nothing comes here meanwhile"
        lan.stuck = set()
        run = asyncio.ensure_future(again.run())
        assert "is locked" in await again.acts.again("host-lock")
        assert (again.state, lan.runs["db"]) == (tr.LOCKED_ONLINE, "n2")
        assert await refused(again.acts.again("host-swact")) == "interrupted"
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run


async def test_the_last_host_that_serves_is_locked_by_force_alone(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, n2):
        await n2.act("lock")
        await until(lambda: not n1.serving)
        lan.runs["db"] = "n1"
        assert await refused(n1.act("lock")) == "last-host"
        assert lan.runs["db"] == "n1"
        assert await refused(n1.act("swact")) == "ha"
        await n1.act("force-lock")
        assert (n1.state, lan.runs["db"]) == (tr.LOCKED_ONLINE, "")


@settings(max_examples=12, deadline=None)
@given(delay_ms=st.integers(0, 12), first=st.sampled_from(["n1", "n2"]))
def test_of_two_that_are_locked_at_once_at_most_one_goes(tmp_path_factory, delay_ms, first):
    async def both():
        folder = tmp_path_factory.mktemp("two")
        async with running(folder, "n1", "n2") as (lan, n1, n2):
            lan.runs["db"] = "n1"
            one, two = (n1, n2) if first == "n1" else (n2, n1)

            async def later():
                await asyncio.sleep(delay_ms / 1000)
                return await two.act("lock")

            told = await asyncio.gather(one.act("lock"), later(), return_exceptions=True)
            assert any(isinstance(each, ActRefusedError) for each in told), told
            codes = {each.code for each in told if isinstance(each, ActRefusedError)}
            assert codes <= {"other-host", "last-host", "ha"}, told
            assert {n1.state, n2.state} & tr.ENABLED
            assert lan.runs["db"] in {"n1", "n2"}

    asyncio.run(both())


async def test_what_cannot_move_ends_the_lock_in_time_and_the_host_serves_on(tmp_path, monkeypatch):
    monkeypatch.setattr(leaving_module, "DRAIN_S", 0.1)
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"], lan.stuck = "n1", {"db"}
        assert await refused(n1.act("lock")) == "timeout"
        assert (n1.state, n1.seat.bar) == (tr.AVAILABLE, "")
        assert read(tmp_path / "n1").pending is None
        assert n1.acts.latest["state"] == "failed"


async def test_an_unlock_is_done_once_the_host_is_enabled_and_fails_with_its_stage(tmp_path):
    async with running(tmp_path, "n1", "n2") as (_, n1, __):
        await n1.act("lock")
        n1.around.config = "settings are refused: ntp"
        assert await refused(n1.act("unlock")) == "config"
        n1.around.config, n1.around.failed = "", "disk: bad"
        assert await refused(n1.act("unlock", force=True)) == "enable"
        assert n1.state == tr.FAILED
        n1.around.failed = ""
        assert "available" in await n1.act("recover")
        assert await refused(n1.act("recover")) == "state"


async def test_a_reboot_is_by_the_helper_and_over_with_another_boot(tmp_path, monkeypatch):
    monkeypatch.setattr(acts_module, "STILL_HERE_S", 0.05)
    async with running(tmp_path, "n1", "n2") as (_, n1, __):
        assert await refused(n1.act("reboot")) == "state", "unlocked: only by force"
        n1.seat.spares = "the voters that are left are no majority"
        assert await refused(n1.act("reboot", force=True)) == "ha"
        assert n1.around.rebooted == []
        n1.seat.spares = ""
        assert await refused(n1.act("reboot", force=True)) == "still-here"
        assert n1.around.rebooted == [("fan (ann)", "")]


async def test_a_host_that_failed_too_often_reboots_itself_by_its_boot_and_says_so_first(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(acts_module, "STILL_HERE_S", 0.1)
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        n1.around.gone = "sm is failed"
        await until(lambda: n1.around.rebooted)
        assert n1.around.rebooted == [("processes: sm is failed (recovery)", BOOT)]
        assert n1.around.starved == 1, "its watchdog is asked first"
        assert {("n1", Going.ASKS), ("n1", Going.GOES)} <= lan.goings, "no two hosts at once"
        assert [each.cause for each in read(tmp_path / "n1").reboots] == ["processes"]
        assert read(tmp_path / "n1").pending.verb == "host-reboot"
        await until(lambda: n1.shell.core.is_exhausted)
        assert n1.shell.core.cause.endswith("not rebooted: no reboot came of the helper's word")
        assert len(n1.around.rebooted) == 1


async def test_a_watchdog_that_bites_is_not_followed_by_the_helper(tmp_path):
    async with running(tmp_path, "n1", "n2") as (_, n1, __):
        n1.around.gone, n1.around.no_watchdog = "sm is failed", ""
        await until(lambda: n1.around.starved)
        await asyncio.sleep(0.05)
        assert n1.around.rebooted == []


async def test_a_host_without_a_helper_gives_up_with_the_reason(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        n1.around.gone, n1.around.no_helper = "sm is failed", "there is no helper"
        await until(lambda: n1.shell.core.is_exhausted)
        assert n1.shell.core.cause.endswith("not rebooted: there is no helper")
        await until(lambda: lan.words["n1"].going == Going.NO)


async def test_a_host_that_the_site_cannot_spare_any_more_is_not_rebooted(tmp_path):
    async with running(tmp_path, "n1", "n2") as (_, n1, __):
        n1.seat.spares = "the voters that are left are no majority"
        n1.around.gone = "sm is failed"
        await until(lambda: n1.state == tr.FAILED)
        await asyncio.sleep(0.05)
        assert n1.around.rebooted == []
        assert n1.shell.core.task == "reboots itself once its site can spare it"


async def test_an_act_that_was_decided_on_another_state_is_refused(tmp_path):
    async with running(tmp_path, "n1", "n2") as (_, n1, __):
        assert await refused(n1.act("lock", expect="unlocked/enabled/degraded")) == "expect"
        await n1.act("lock", expect="unlocked/enabled/available")


async def test_a_maintenance_is_told_to_the_site_and_ends(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        await n1.act("maintenance", seconds=90)
        assert lan.words["n1"].maintenance_min == 2
        await n1.act("maintenance", seconds=0)
        assert lan.words["n1"].maintenance_min == 0


async def test_one_act_runs_and_one_waits(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"], lan.stuck = "n1", {"db"}
        acts = [asyncio.ensure_future(n1.act("lock")) for _ in range(2)]
        await asyncio.sleep(0.02)
        assert await refused(n1.act("lock")) == "busy"
        lan.stuck = set()
        done, second = await asyncio.gather(*acts, return_exceptions=True)
        assert "is locked" in done
        assert second.code == "state", "it is locked by now"


async def test_a_host_that_fails_in_service_has_others_take_what_it_runs(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"] = "n1"
        gone = Degraded("process", "200.006|process=nginx", 5, Severity.CRITICAL)
        n1.around.wrong = {"process": gone}
        async with asyncio.timeout(5):
            while lan.runs["db"] == "n1":  # noqa: ASYNC110 - as its look has it
                await asyncio.sleep(0.005)
        assert (n1.state, n1.seat.bar[:16]) == (tr.FAILED, "the host failed:")
        assert read(tmp_path / "n1").attempts == {"processes": 1}, "kept before it is told"
        assert lan.words["n1"].state == tr.FAILED


async def test_the_last_host_degrades_and_keeps_what_it_runs(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, n2):
        await n2.act("lock")
        await until(lambda: not n1.serving)
        lan.runs["db"] = "n1"
        gone = Degraded("process", "200.006|process=nginx", 5, Severity.CRITICAL)
        n1.around.wrong = {"process": gone}
        await asyncio.sleep(0.1)
        assert (n1.state, lan.runs["db"]) == (tr.DEGRADED, "n1")
        assert lan.words["n1"].reasons == {"process"}


async def test_a_host_that_is_cut_off_does_not_take_itself_for_the_last(tmp_path, monkeypatch):
    async with running(tmp_path, "n1", "n2") as (_, n1, n2):
        await n2.act("lock")
        await until(lambda: not n1.serving)
        monkeypatch.setattr(n1.seat, "is_with_most", lambda: False)
        n1.around.wrong = {"process": Degraded("process", "200.006|x", 5, Severity.CRITICAL)}
        await until(lambda: n1.state == tr.FAILED)


def seen_by(host, name):
    [said] = [each for each in host.shell.coordinator.others() if each.node == name]
    return said.admin, said.oper, said.avail


def lock(**more):
    return Wanted("host-lock", "ann", "fan", **more)


async def test_a_silent_host_is_locked_by_who_coordinates_and_locks_itself_when_it_is_back(
    tmp_path,
):
    async with running(tmp_path, "n1", "n2", "n3") as (lan, n1, n2, n3):
        assert await refused(n1.shell.lock_silent(lock(), "n3")) == "state", "it speaks"
        assert await refused(n2.acts.do(lock(node="n3"))) == "not-coordinator"
        lan.silent = {"n3"}
        await until(lambda: seen_by(n1, "n3") == tr.FAILED)
        stale = lock(expect="unlocked/enabled/available")
        assert await refused(n1.shell.lock_silent(stale, "n3")) == "expect"
        assert "told so when it is heard again" in await n1.acts.do(lock(node="n3"))
        assert seen_by(n1, "n3") == tr.LOCKED_OFFLINE
        said = {"n3": "locked by ann: fan"}
        assert read_locked(tmp_path / "n1") == Locked(["n3"], said), "kept before it is done"
        await until(lambda: seen_by(n2, "n3") == tr.LOCKED_OFFLINE)
        assert await refused(n1.shell.lock_silent(lock(), "n3")) == "state", "it is locked"
        assert n3.state in tr.ENABLED
        lan.silent = set()
        await until(lambda: read(tmp_path / "n3").by == "the coordinator n1")
        assert n3.state == tr.LOCKED_ONLINE
        await until(lambda: not lan.absent)
        await until(lambda: read_locked(tmp_path / "n1") == Locked(["n3"]))
        assert "available" in await n3.act("unlock")


async def test_a_lock_that_cannot_be_kept_is_none(tmp_path):
    async with running(tmp_path, "n1", "n2", "n3") as (lan, n1, *_):
        lan.silent = {"n3"}
        await until(lambda: seen_by(n1, "n3") == tr.FAILED)
        await until(lambda: "n3" in read_locked(tmp_path / "n1").failed)
        (tmp_path / "n1" / "hosts-locked.json.new").mkdir()
        assert await refused(n1.shell.lock_silent(lock(), "n3")) == "storage"
        assert (seen_by(n1, "n3"), lan.absent) == (tr.FAILED, frozenset())


async def test_a_host_that_came_back_as_the_last_that_serves_is_not_locked(tmp_path):
    async with running(tmp_path, "n1", "n2", "n3") as (lan, n1, n2, n3):
        lan.silent = {"n3"}
        await until(lambda: seen_by(n1, "n3") == tr.FAILED)
        await n1.shell.lock_silent(lock(), "n3")
        await n2.act("lock")
        await n1.act("force-lock")
        lan.silent = set()
        await until(lambda: n3.acts.latest.get("state") == "failed")
        assert (n3.acts.latest["code"], n3.state) == ("last-host", tr.AVAILABLE)
        await until(lambda: seen_by(n1, "n3") == tr.AVAILABLE)
        [said] = [each for each in n1.shell.coordinator.others() if each.node == "n3"]
        assert said.task == "is to be locked: it was silent then"


async def test_who_locked_a_silent_host_and_why_is_cut_to_what_can_be_read_and_told(tmp_path):
    async with running(tmp_path, "n1", "n2", "n3") as (lan, n1, *_):
        lan.silent = {"n3"}
        await until(lambda: seen_by(n1, "n3") == tr.FAILED)
        await n1.shell.lock_silent(Wanted("host-lock", "ann", "\u4e2d" * 200), "n3")
        said = read_locked(tmp_path / "n1").absent["n3"]
        assert said.startswith("locked by ann: \u4e2d")
        assert len(said.encode()) <= ALARM_TEXT_BYTES_MAX
        [told] = [each for each in n1.shell.coordinator.others() if each.node == "n3"]
        assert msgspec.json.decode(msgspec.json.encode(told), type=HostSaid).cause == said


async def test_a_recover_that_its_hosts_own_retry_overtook_is_refused_and_ends_no_agent(
    tmp_path, monkeypatch
):
    async with running(tmp_path, "n1", "n2") as (_, n1, __):
        await n1.act("lock")
        n1.around.failed = "disk: bad"
        await refused(n1.act("unlock"))
        assert n1.state == tr.FAILED
        monkeypatch.setattr(n1.seat, "is_ready", False)
        recovering = asyncio.ensure_future(n1.act("recover"))
        await until(lambda: n1.acts.latest["verb"] == "host-recover")
        n1.around.failed = ""
        n1.shell.core._ladder._retry_ms = 0  # what 30 s bring
        await until(lambda: n1.state != tr.FAILED)
        monkeypatch.setattr(n1.seat, "is_ready", True)
        assert await refused(recovering) == "state"
        await until(lambda: n1.state in tr.ENABLED)
        assert read(tmp_path / "n1").pending is None


async def test_a_failed_host_is_failed_still_for_the_agent_that_starts_after_it(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.silent = {"n2"}
        await until(lambda: seen_by(n1, "n2") == tr.FAILED)
        [was] = n1.shell.coordinator.others()
        await until(lambda: "n2" in read_locked(tmp_path / "n1").failed)
        again = Host(lan, tmp_path / "n1", "n1")
        again.shell.coordinator.look(again.shell.said, again.shell.now())
        [told] = again.shell.coordinator.others()
        assert (seen_by(again, "n2"), told.since_ms) == (tr.FAILED, was.since_ms)
        lan.silent = set()
        await until(lambda: not read_locked(tmp_path / "n1").failed)


async def test_a_critical_sensor_degrades_its_host_whichever_it_is(tmp_path):
    async with running(tmp_path, "n1", "n2") as (_, n1, n2):
        n1.around.hot = {"n1": "CPU reads 95 C, limit 90"}
        await until(lambda: n1.state == tr.DEGRADED)
        assert list(n1.shell.core.reasons) == ["sensor"]
        n1.around.hot = {"n2": "CPU reads 95 C, limit 90"}
        n2.around.hot = {"n2": "is read by another"}
        await until(lambda: n1.state == tr.AVAILABLE)
        of_n2 = lambda: n1.shell.coordinator.others()[0]  # noqa: E731 - one look
        await until(lambda: "sensor" in of_n2().reasons)
        assert of_n2().cause == "it says that it is well; sensor: CPU reads 95 C, limit 90"
        assert n2.state == tr.AVAILABLE


async def test_a_host_that_was_lost_too_often_runs_its_recovery_and_keeps_the_count(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, n2):
        lan.anew = frozenset({"n2"})
        await until(lambda: n2.state == tr.FAILED)
        lan.anew = frozenset()
        assert (
            n2.shell.core.cause == "heartbeat: n1 lost it again and again, and it never went down"
        )
        await until(lambda: read(tmp_path / "n2").attempts == {"heartbeat": 1})
        assert n2.shell.core.stage == "heartbeat"
        assert n1.state == tr.AVAILABLE


async def test_the_last_that_serves_runs_no_recovery_for_a_lost_heartbeat(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, n2):
        await n1.act("lock")
        await until(lambda: not n2.serving)
        lan.anew = frozenset({"n2"})
        await asyncio.sleep(0.05)
        assert n2.state == tr.AVAILABLE


async def test_who_coordinates_tells_who_is_to_run_its_recovery(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        hosts = n1.shell.coordinator.hosts
        hosts.anew = lambda _now: frozenset({"n2"})
        await until(lambda: lan.told_anew == {"n2"})


async def test_what_does_not_stop_by_force_ends_with_a_reset_of_a_locked_host(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"], lan.stuck, n1.around.boards = "n1", {"db"}, ("n1",)
        task = asyncio.ensure_future(n1.act("force-lock"))
        await until(lambda: n1.around.resets == ["n1"])
        assert read(tmp_path / "n1").admin is Admin.LOCKED
        assert read(tmp_path / "n1").pending is None
        assert await refused(task) == "timeout"  # in life nobody is there to say it


@pytest.mark.parametrize("boards", [(), ("n1",)])
async def test_what_does_not_stop_by_force_and_cannot_be_reset_is_told(tmp_path, boards):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"], lan.stuck, n1.around.boards = "n1", {"db"}, boards
        n1.around.no_reset = "budget: 3 machines of the site were acted on this hour"
        with pytest.raises(ActRefusedError, match=r"not reset: (no board controller|budget: 3)"):
            await n1.act("force-lock")
        assert (n1.state, n1.around.resets) == (tr.LOCKED_ONLINE, [])


async def test_what_stops_in_time_by_force_is_not_reset(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        lan.runs["db"], n1.around.boards = "n1", ("n1",)
        assert "nothing of local HA" in await n1.act("force-lock")
        assert n1.around.resets == []


@pytest.mark.parametrize("verb", ["lock", "force-lock"])
async def test_a_silent_host_is_reset_by_a_force_lock_alone(tmp_path, verb):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        n1.around.boards = ("n2",)
        lan.silent = {"n2"}
        await until(lambda: n1.shell.coordinator.others()[0].avail == "failed")
        said = await n1.act(verb, node="n2")
        assert n1.around.resets == (["n2"] if verb == "force-lock" else [])
        assert said.endswith("has reset it") == (verb == "force-lock")


async def test_a_host_that_is_heard_while_it_is_locked_by_force_is_not_reset(tmp_path):
    async with running(tmp_path, "n1", "n2") as (lan, n1, _):
        n1.around.boards = ("n2",)
        lan.silent = {"n2"}
        await until(lambda: n1.shell.coordinator.others()[0].avail == "failed")
        task = asyncio.ensure_future(n1.act("force-lock", node="n2"))
        await until(n1.shell.coordinator.absent)
        lan.silent = set()
        assert (await task).endswith("not reset: it is heard again")
        assert n1.around.resets == []
