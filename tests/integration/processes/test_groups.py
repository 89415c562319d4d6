"""A real cgroup that empties and is peopled again is heard of at once."""

import asyncio

import pytest
from cgroups import needs_cgroups, private, started_in
from waiting import until

from roost_agent.host.processes.groups import Groups

pytestmark = [needs_cgroups, pytest.mark.netns, pytest.mark.timeout(60)]


@pytest.fixture
async def heard():
    names = []
    made = Groups(names.append)
    made.begin()
    yield made, names
    made.close()


async def test_a_group_that_empties_and_one_that_is_peopled_are_heard_of(heard):
    groups, names = heard
    with private() as root:
        process = started_in(root / "pump", "/bin/sleep", "600")
        groups.watch("pump", root / "pump")
        await asyncio.sleep(0.05)
        assert names == []
        process.kill()
        process.wait()
        await until(lambda: names == ["pump"], "it is empty")
        groups.watch("pump", root / "pump")  # with the next look
        other = started_in(root / "pump", "/bin/sleep", "600")
        await until(lambda: names == ["pump", "pump"], "somebody is there again")
        other.kill()
        other.wait()


async def test_one_that_is_removed_is_found_anew_with_the_next_look(heard):
    groups, names = heard
    with private() as root:
        process = started_in(root / "pump", "/bin/sleep", "600")
        groups.watch("pump", root / "pump")
        process.kill()
        process.wait()
        (root / "pump").rmdir()
        await until(lambda: names, "it is gone")
        groups.watch("pump", root / "pump")
        again = started_in(root / "pump", "/bin/sleep", "600")
        groups.watch("pump", root / "pump")
        names.clear()
        again.kill()
        again.wait()
        await until(lambda: names == ["pump"], "it is empty")


async def test_who_is_left_or_in_no_group_is_not_heard_of(heard):
    groups, names = heard
    with private() as root:
        process = started_in(root / "pump", "/bin/sleep", "600")
        groups.watch("pump", root / "pump")
        groups.watch("pump", None)
        groups.watch("other", root / "nosuch")
        process.kill()
        process.wait()
        await asyncio.sleep(0.1)
        assert names == []
