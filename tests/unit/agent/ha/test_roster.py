"""The roster follows the site's file and nothing else of it; a broken file changes nothing."""

import asyncio

import pytest
import site_file

from roost_agent.ha import roster as roster_module
from roost_agent.ha.config_file import load
from roost_agent.ha.roster import Roster, boxes_of

C1 = 'name = "c1"\nindex = 1\n'


@pytest.fixture
async def following(tmp_path, monkeypatch):
    """The file, its roster, and every roster that was put into effect."""
    monkeypatch.setattr(roster_module, "LOOK_S", 0.01)
    file = tmp_path / "ha.toml"
    file.write_text(site_file.TEXT)
    roster = Roster(file, "c0", boxes_of(load(file)))
    seen: asyncio.Queue[dict[str, int]] = asyncio.Queue()

    async def changed():
        seen.put_nowait(dict(roster.boxes))

    task = asyncio.get_running_loop().create_task(roster.run(changed))
    yield file, roster, seen
    task.cancel()


def write(file, text):
    """Replace the file, as an editor does."""
    fresh = file.with_name("fresh")
    fresh.write_text(text)
    fresh.replace(file)


async def until(true):
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - the file tells nobody
            await asyncio.sleep(0.01)


async def test_another_box_is_seen_and_one_that_was_dropped_too(following):
    file, _, seen = following
    write(file, site_file.TEXT.replace(C1, f"{C1}box = 2\n"))
    async with asyncio.timeout(20):
        assert await seen.get() == {"c0": 1, "c1": 2, "w1": 1}
    assert seen.empty()


async def test_what_else_changes_is_left_to_a_restart(following):
    file, roster, seen = following
    write(file, site_file.TEXT.replace("weight=4", "weight=5"))
    stamp = file.stat().st_ino
    await until(lambda: roster._stamp is not None and roster._stamp[2] == stamp)
    assert seen.empty()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("voters = [", "not TOML"),
        (site_file.TEXT.replace(C1, f"{C1}box = 0\n"), "box"),
        (site_file.TEXT.replace('"c0"', '"x0"'), "c0, this node, is not in it any more"),
    ],
)
async def test_a_file_that_cannot_be_followed_changes_nothing_and_is_told(following, text, fault):
    file, roster, seen = following
    write(file, text)
    await until(lambda: fault in roster.fault)
    assert roster.boxes == {"c0": 1, "c1": 1, "w1": 1}
    write(file, site_file.TEXT)
    await until(lambda: not roster.fault)
    assert seen.empty()


async def test_a_file_that_is_gone_and_back_is_read_again(following):
    file, roster, seen = following
    away = file.rename(file.with_name("away"))
    await until(lambda: "No such file" in roster.fault)
    away.rename(file)
    await until(lambda: not roster.fault)
    assert seen.empty()
