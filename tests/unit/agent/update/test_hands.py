"""What steps come to: root's part is the real one, called in this process where a helper would."""

import asyncio
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from install_stage import JOB, InstallStage
from waiting import until

from roost_agent.errors import AgentError
from roost_agent.install.program import Program
from roost_agent.ports import SystemClock
from roost_agent.update.events import Do, Known
from roost_agent.update.fetching import Fetching
from roost_agent.update.hands import Hands
from roost_agent.update.kept import Kept
from roost_agent.update.place import Near, NotDoneError, Places
from roost_agent.update.step import Step, Who
from roost_protocol.update import Offer

OLD, NEW = {"a": b"old"}, {"a": b"new"}


class Place:
    """A node alone, well unless it is said otherwise; ``is_dark``: it beats on no path."""

    is_locked = holds_lease = is_dark = False
    why = ""

    async def drain(self):
        return ""

    async def unlock(self):
        return ""

    def near(self, _offer):
        return Near()

    async def unwell(self, kept, expected):
        return "it beats on no path" if self.is_dark and kept.was_reached else self.why


@pytest.fixture
def stage(tmp_path):
    return InstallStage(tmp_path)


@pytest.fixture
def hands(stage):
    async def ask(verb, **given):
        if verb == "reboot":
            stage.asked = given
            return
        await asyncio.to_thread(Program(stage.given).run, verb, given["digest"])

    given = stage.given
    places = Places(
        state_dir=stage.folder, root=given.root, trust=given.trust, installed=given.state,
        requests=given.requests, source="", ask=ask, beat_s=0.01, verify_s=60.0,
    )  # fmt: skip
    made = Hands(places, Place())
    made.place = made._site
    return made


def offer(release, version):
    return Offer(
        v=1, rollout="b" * 32, job=JOB, attempt=1, component="app/demo", version=version,
        digest=release, size=1, nodes=["lab.n1"], not_before_ms=0, not_after_ms=1,
    )  # fmt: skip


def hurried(hands):
    """The same, that wait less for a release to be well."""
    made = Hands(replace(hands._places, verify_s=2.0), hands._site)
    made.place = made._site
    return made


async def done(hands, step, release, version="1.0", kept=None):
    todo = Do(step, f"{JOB}.1.{step}", "nonce")
    return await hands.do(todo, offer(release, version), kept or Kept())


async def test_the_steps_of_root_are_answered_by_roots_journal(stage, hands):
    one = stage.release("1.0", OLD)
    for step in (Step.VERIFY, Step.INSTALL, Step.COMMIT, Step.CLEANUP):
        did, _ = await done(hands, step, one)
        assert (did.why, did.who) == ("", Who.HELPER)
    assert stage.current() == OLD
    assert await hands.known(f"{JOB}.1.install") == Known(f"{JOB}.1.install", "done")
    assert (await hands.known(f"{JOB}.1.rollback")).word == "unknown"
    assert list(stage.given.requests.iterdir()) == []


async def test_what_root_refuses_is_the_steps_failure_with_its_code(stage, hands):
    stage.release("1.0", OLD)
    did, _ = await done(hands, Step.VERIFY, "0" * 64)
    assert did.why.startswith("manifest: ")


async def test_a_release_counts_as_running_when_it_is_seen_to_run_and_not_before(stage, hands):
    one = stage.release("1.0", OLD)
    await done(hands, Step.VERIFY, one)
    did, _ = await done(hurried(hands), Step.VERIFY_REBOOT, one)
    assert did.why.startswith("runs: not well within 2 s: app/demo: nothing runs, ")
    await done(hands, Step.INSTALL, one)
    assert (await done(hands, Step.VERIFY_REBOOT, one))[0].why == ""
    hands.place.why = "it beats on no path, and did before"
    did, _ = await done(hurried(hands), Step.VERIFY_REBOOT, one)
    assert did.why == "not well within 2 s: it beats on no path, and did before"
    hands.place.why = ""
    (stage.given.root / "opt/roost/app/demo/current/a").write_bytes(b"else")
    did, _ = await done(hurried(hands), Step.VERIFY_REBOOT, one)
    assert did.why.endswith("a: another content")


@pytest.mark.parametrize(("down", "least_s"), [({}, 0.4), ({"drain": True}, 0.2)])
async def test_a_release_has_to_be_well_for_a_while_and_a_break_begins_it_anew(
    stage, hands, down, least_s
):
    """Half as long where the node was taken down: it is not in service yet."""
    one = stage.release("1.0", OLD)
    await done(hands, Step.VERIFY, one)
    await done(hands, Step.INSTALL, one)
    made = Hands(replace(hands._places, stabilise_s=0.4), hands.place)
    looks, now = [], asyncio.get_running_loop().time

    async def measured():
        return {"app/demo": {"digest": one}}

    async def unwell(_kept, _expected):
        looks.append(now())
        return "it stumbled" if len(looks) == 5 else ""

    made._measuring.measured, made._site.unwell = measured, unwell
    assert (await done(made, Step.VERIFY_REBOOT, one, kept=Kept(**down)))[0].why == ""
    assert len(looks) > 5 + 3
    assert now() - looks[4] >= least_s
    assert now() - looks[4] < least_s + 5


async def test_what_was_wrong_last_is_told_though_the_time_ends_in_a_good_moment(stage, hands):
    one, looks = stage.release("1.0", OLD), iter(["it stumbled"] * 2)
    for step in (Step.VERIFY, Step.INSTALL):
        await done(hands, step, one)
    made = Hands(replace(hands._places, verify_s=1.0, stabilise_s=9.0), hands.place)

    async def measured():
        return {"app/demo": {"digest": one}}

    async def unwell(_kept, _expected):
        return next(looks, "")

    made._measuring.measured, made._site.unwell = measured, unwell
    did, _ = await done(made, Step.VERIFY_REBOOT, one)
    told = "not well within 1 s: it stumbled; well for the last 1 s, 9 s are asked"
    assert did.why == told


async def test_no_boot_is_asked_for_that_the_site_cannot_spare(stage, hands):
    stage.asked, spared = None, asyncio.Event()

    async def drain():
        await spared.wait()
        return ""

    hands._site.drain = drain
    boot = asyncio.create_task(done(hands, Step.REBOOT, "0" * 64))
    await asyncio.sleep(0.05)
    assert stage.asked is None
    spared.set()
    assert (await boot)[0].why == ""
    assert stage.asked is not None


async def test_a_way_back_counts_though_the_network_is_gone(stage, hands):
    one, kept = stage.release("1.0", OLD), Kept(was_reached=True)
    for step in (Step.VERIFY, Step.INSTALL, Step.COMMIT):
        await done(hands, step, one)
    hands.place.is_dark = True
    did, _ = await done(hurried(hands), Step.VERIFY_REBOOT, one, kept=kept)
    assert did.why.endswith("it beats on no path")
    assert (await done(hands, Step.VERIFY_ROLLBACK, one, kept=kept))[0].why == ""


async def test_a_boot_is_asked_for_by_a_nonce_that_stays_and_no_room_is_told(stage, hands):
    assert (await done(hands, Step.REBOOT, "0" * 64))[0].why == ""
    first = stage.asked
    await done(hands, Step.REBOOT, "0" * 64)
    assert stage.asked == first
    assert (len(first["nonce"]), first["reason"]) == (32, "a new release: app/demo 1.0")
    huge = msgspec.structs.replace(offer("0" * 64, "1.0"), size=1 << 39)
    did, _ = await hands.do(Do(Step.PRECHECK, "k"), huge, Kept())
    assert "bytes are free" in did.why


async def test_a_helper_that_is_gone_is_a_failure_and_a_lock_of_before_is_remembered(stage, hands):
    async def gone(verb, **_given):
        raise AgentError("helper: nobody is there")

    hands = Hands(replace(hands._places, ask=gone), hands._site)
    one = stage.release("1.0", OLD)
    assert (await done(hands, Step.VERIFY, one))[0].why == "helper: nobody is there"
    hands._site.is_locked = True
    did, kept = await done(hands, Step.DRAIN, one)
    assert (did.why, did.holds_lease, kept.was_locked) == ("", False, True)
    assert (await done(hands, Step.UNLOCK, one, kept=kept))[0].why == ""  # who locked it unlocks it


async def test_a_sites_own_programs_are_run_before_a_node_goes_down_and_after(stage, hands):
    folder = stage.folder / "drain.d"
    folder.mkdir()
    (folder / "10-move").write_text(f"#!/bin/sh\necho $1 >>{stage.folder}/moved\n")
    (folder / "20-more").write_text("#!/bin/sh\n[ $1 != migrate ] || { echo no room; exit 1; }\n")
    for each in folder.iterdir():
        each.chmod(0o755)
    hands = Hands(replace(hands._places, drain=str(folder)), hands._site)
    did, kept = await done(hands, Step.DRAIN, "0" * 64)
    assert did.why == f"{folder}/20-more migrate: status 1: no room"
    (folder / "20-more").unlink()
    did, kept = await done(hands, Step.DRAIN, "0" * 64)
    assert (did.why, kept.was_drained) == ("", True)
    hands._site.is_locked = False
    assert (await done(hands, Step.UNLOCK, "0" * 64, kept=kept))[0].why == ""
    assert (stage.folder / "moved").read_text().split() == ["migrate", "migrate", "undrain"]
    (folder / "10-move").chmod(0o777)
    assert "is not run" in (await done(hands, Step.DRAIN, "0" * 64))[0].why


@pytest.mark.parametrize("name", ["libvirt", "kubernetes"])
def test_a_recipe_to_drain_is_a_shells(name):
    recipe = Path(__file__).parents[4] / "packaging/recipes/drain.d" / name
    assert subprocess.run(["/bin/sh", "-n", recipe], check=False).returncode == 0


async def test_each_run_of_a_jobs_fetch_goes_on_with_what_the_others_have_left(hands, stage):
    made = Hands(replace(hands._places, bytes_max=10), hands._site)
    note = stage.folder / "updates/spent" / JOB
    for _ in range(2):
        words = made._fetching._words(offer("0" * 64, "1.0"))
        assert {"--bytes-max=10", f"--spent={note}"} <= set(words)
    note.write_text("7")
    made.forget_blobs()
    assert not note.exists(), "another job has a budget of its own"


async def test_how_a_download_broke_off_is_kept_while_it_is_tried_again(hands, tmp_path):
    (tmp_path / "now").mkdir()
    now = InstallStage(tmp_path / "now", now_ms=SystemClock().wall_ms())  # a child judges it
    one = now.release("1.0", OLD)
    shutil.rmtree(now.mirror / "blobs")
    places = replace(
        hands._places, state_dir=now.folder, trust=now.given.trust, source=str(now.mirror)
    )
    made = Hands(places, hands._site)
    fetching = asyncio.create_task(done(made, Step.DOWNLOAD, one))
    await until(lambda: made.broke_off or fetching.done(), "it broke off")
    assert made.broke_off.startswith("blob "), fetching.result()
    assert (made.short_of, fetching.done()) == ("", False)
    fetching.cancel()


@pytest.fixture
def unreached(hands, tmp_path):
    """Hands of a node that asks one who never answers; how often it asks once more is given."""
    not_here = tmp_path / "file"
    not_here.write_text("no folder: it is there, and cannot be read")
    (tmp_path / "now").mkdir()
    now_ms = SystemClock().wall_ms()  # a child judges it
    now = InstallStage(tmp_path / "now", repository=tmp_path / "signed", now_ms=now_ms)
    places = replace(
        hands._places, state_dir=now.folder / "agent", trust=now.given.trust, source=str(not_here)
    )

    def made(tries, source=str(not_here)):
        fetching = Fetching(
            replace(places, source=source), hands._site, (0.001, 0.001), 0.001 * tries
        )
        return fetching, now

    return made


async def test_who_reaches_nobody_asks_again_for_a_while_and_says_so_with_the_last_error(unreached):
    fetching, _ = unreached(1)
    with pytest.raises(
        NotDoneError, match=r"^unreachable: nobody was reached for .* not read"
    ) as err:
        await fetching.fetch(offer("0" * 64, "1.0"), Kept())
    assert "app/demo 1.0 for lab.n1 is not here yet" in str(err.value)
    assert fetching.broke_off.startswith("unreachable: "), "it was tried again"


async def test_a_wan_that_was_gone_as_a_download_began_fails_no_job(unreached, tmp_path):
    fetching, now = unreached(10_000)
    release = now.release("1.0", OLD)
    running = asyncio.create_task(fetching.fetch(offer(release, "1.0"), Kept()))
    await until(lambda: fetching.broke_off or running.done(), "it asked")
    (tmp_path / "link").symlink_to(now.repository)
    (tmp_path / "link").replace(tmp_path / "file")
    await until(running.done, "it is here")
    assert not (await running).reboot


async def test_a_mirror_that_lacks_it_is_not_waited_for(unreached, tmp_path):
    fetching, _ = unreached(10_000, str(tmp_path / "nowhere"))
    with pytest.raises(NotDoneError, match=r"^absent: "):
        await fetching.fetch(offer("0" * 64, "1.0"), Kept())


async def test_why_what_is_known_is_stale_is_one_line_with_its_code(stage, hands):
    nowhere = str(stage.folder / "nowhere")
    made = Hands(replace(hands._places, source=nowhere), hands._site)
    why = await made.refreshed()
    assert why.startswith("absent: the image repository has no metadata/timestamp.json (from ")
    assert "\n" not in why
