"""Who is dropped is mute: at the broker, by its key, and as a broker itself."""

from types import SimpleNamespace

import pytest
import site_file

from roost_agent.ha.admission import Admission
from roost_agent.ha.config_file import check


class Path:
    def __init__(self, number):
        self.number = number
        self.aborted = ""

    def abort(self, why):
        self.aborted = why


class Scene:
    """A node's admission among parts that only note what they are told."""

    def __init__(self, *, has_broker=True):
        config, faults = check(site_file.table())
        assert faults == []
        self.limits, self.admitted = [], []
        self.paths = [Path(number) for number in range(len(config.paths))]
        self.roster = SimpleNamespace(boxes={"c0": 1, "c1": 1, "w1": 1})
        peers = SimpleNamespace(paths=self.paths, limit=self.limits.append)
        broker = SimpleNamespace(admit=self.admit) if has_broker else None
        self.admission = Admission(self.roster, config, peers, broker, dict)

    async def admit(self, members):
        self.admitted.append(members)

    async def change(self, **boxes):
        self.roster.boxes = boxes
        await self.admission._changed()


async def test_a_dropped_node_is_believed_no_more_and_let_speak_no_more():
    scene = Scene()
    await scene.change(c0=1, c1=1)
    assert scene.limits == [[0, 1]]
    assert scene.admitted == [{"c0": 1, "c1": 1}]
    assert not any(path.aborted for path in scene.paths)


async def test_the_paths_to_a_broker_that_was_replaced_are_left_and_no_others():
    scene = Scene(has_broker=False)
    await scene.change(c0=1, c1=2, w1=1)
    assert [path.number for path in scene.paths if path.aborted] == [1]
    assert scene.limits == [[0, 1, 2]]


async def test_rules_that_cannot_be_written_end_nothing_else(caplog):
    scene = Scene()

    async def refuse(_members):
        raise OSError("no space")

    scene.admission._broker.admit = refuse
    await scene.change(c0=1)
    assert "it is ended: no space" in caplog.text


@pytest.mark.parametrize("times", [1, 2])
async def test_it_follows_more_than_once(times):
    scene = Scene(has_broker=False)
    for _ in range(times):
        await scene.change(c0=1, c1=1)
        await scene.change(c0=1, c1=1, w1=1)
    assert scene.limits[-1] == [0, 1, 2]
