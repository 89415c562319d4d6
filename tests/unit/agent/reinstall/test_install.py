"""A host that is installed anew by a small board: in order, once, and with nothing left there."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest

from roost_agent.bmc.talk import Answer, Power
from roost_agent.reinstall import install
from roost_agent.reinstall.fault import NotInstalledError
from roost_agent.reinstall.install import Reinstall
from roost_agent.reinstall.left import FILE, Left
from roost_agent.reinstall.medium import Places
from roost_protocol.host_verbs import HostReinstall

IMAGE = HostReinstall(
    node="n2", expect="locked/disabled/online", component="os", version="2.0", digest="0a" * 32,
    length=300,
)  # fmt: skip
URL = "http://10.0.0.1:4/token/image.iso"


class Board:
    """A machine's board; ``fails`` has what goes wrong, by what is asked."""

    def __init__(self, group, folder):
        self.group, self.folder = group, folder
        self.asked, self.fails = [], {}
        self.power, self.full = Power.ON, ""
        self.budget = self

    def refusal(self):
        return self.full

    def host(self, node):
        assert node == "n2"
        return "10.0.0.9"

    async def ask(self, node, seconds, **said):
        assert (node, seconds > 0) == ("n2", True)
        word = said["do"] if said["do"] == "test" else said.get("media") or said["device"]
        noted = (self.folder / FILE).exists()
        self.asked.append((word, noted))
        fault = self.fails.get(word, "")
        if callable(fault):
            fault = fault()
        return Answer(node=node, fault=fault, why=f"{word} does not", power=self.power)

    async def act(self, node, verb, may):
        self.asked.append((verb, (self.folder / FILE).exists()))
        return may() or self.fails.get(verb, "")

    def begin(self, work, name):
        assert name == "agent.reinstall[n2]"
        self.group.create_task(work)

    @property
    def words(self):
        return [word for word, _ in self.asked]


class Scene:
    def __init__(self, folder, group):
        self.board = Board(group, folder)
        self.state = IMAGE.expect
        self.is_taken = asyncio.Event()
        self.is_lent = False
        self.made = Reinstall(
            self.board, Places(folder, "t", "s"), lambda: "token", lambda _node: self.state
        )

    @asynccontextmanager
    async def lending(self, file, address, token, seconds):
        assert (address, token, file.read_bytes()) == ("10.0.0.1", "token", b"an image")
        assert seconds > install.HOLD_S
        self.is_lent = True
        self.url, self.taken = URL, self.is_taken.wait
        try:
            yield self
        finally:
            self.is_lent = False

    async def do(self, may=str):
        return await self.made.do(IMAGE, may)


@pytest.fixture
def image(tmp_path, monkeypatch):
    async def fetched(asked, _places):
        assert asked == IMAGE
        file = tmp_path / "reinstall/image/i.iso"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"an image")
        return file

    async def address(host):
        assert host == "10.0.0.9"
        return "10.0.0.1"

    monkeypatch.setattr(install, "fetched", fetched)
    monkeypatch.setattr(install, "address_towards", address)
    monkeypatch.setattr(install, "LOOK_S", 0.001)
    return tmp_path / "reinstall/image"


@asynccontextmanager
async def scene(tmp_path, monkeypatch):
    async with asyncio.TaskGroup() as group:
        made = Scene(tmp_path, group)
        monkeypatch.setattr(install, "lending", made.lending)
        yield made


async def test_the_image_is_put_in_booted_once_and_taken_out_when_the_host_is_back(
    tmp_path, monkeypatch, image
):
    async with scene(tmp_path, monkeypatch) as it:
        it.is_taken.set()
        assert "n2 was started with os 2.0 (0a0a0a0a0a0a)" in await it.do()
        assert it.board.asked == [
            ("status", False), ("insert", True), ("cdrom", True), ("test", True), ("reset", True),
        ]  # fmt: skip
        await asyncio.sleep(0.02)
        assert it.is_lent, "it has not been away"
        with pytest.raises(NotInstalledError, match="one at a time"):
            await it.do()
        it.state = "locked/disabled/offline"
        await asyncio.sleep(0.02)
        assert (it.is_lent, image.exists()) == (True, True)
        it.state = IMAGE.expect
    assert it.board.words[5:] == ["eject"]
    assert (it.is_lent, image.exists(), (tmp_path / FILE).exists()) == (False, False, False)


async def test_a_machine_without_power_is_switched_on(tmp_path, monkeypatch, image):
    async with scene(tmp_path, monkeypatch) as it:
        it.board.power = Power.OFF
        it.is_taken.set()
        it.state = "locked/disabled/power-off"
        await it.do()
        assert it.board.words[-1] == "power-on"
        it.state = "locked/disabled/offline"
        await asyncio.sleep(0.02)
        it.state = IMAGE.expect
    assert not image.exists()


@pytest.mark.parametrize(
    "case",
    [
        ("status", "unsupported", "not-supported", []),
        ("insert", "unconfirmed", "unconfirmed", ["none", "eject"]),
        ("cdrom", "refused", "refused", ["none", "eject"]),
        ("reset", "budget: the hour is full", "budget", ["none", "eject"]),
    ],
)
async def test_what_fails_before_the_start_leaves_nothing_at_the_board(
    tmp_path, monkeypatch, image, case
):
    word, fault, code, after = case
    async with scene(tmp_path, monkeypatch) as it:
        it.board.fails[word] = fault
        with pytest.raises(NotInstalledError) as failed:
            await it.do()
        assert (failed.value.code, it.is_lent) == (code, False)
        assert it.board.words[it.board.words.index(word) + 1 :] == after
        assert not (tmp_path / FILE).exists()
        assert not image.exists()
        it.board.fails.clear()
        it.board.full = "3 machines of the site were acted on this hour"
        with pytest.raises(NotInstalledError, match="this hour"):
            await it.do()


async def test_a_board_that_takes_nothing_of_the_image_has_not_booted_it(
    tmp_path, monkeypatch, image
):
    monkeypatch.setattr(install, "TAKEN_S", 0.02)
    async with scene(tmp_path, monkeypatch) as it:
        with pytest.raises(NotInstalledError, match=f"can it reach {URL}"):
            await it.do()
        assert it.board.words[-2:] == ["reset", "eject"]
        assert not image.exists()


async def test_it_is_looked_at_again_right_before_the_power_is_switched(
    tmp_path, monkeypatch, image
):
    monkeypatch.setattr(install, "TAKEN_S", 0.02)
    async with scene(tmp_path, monkeypatch) as it:
        said = iter(["", "n2 serves again"])
        with pytest.raises(NotInstalledError, match="n2 serves again"):
            await it.do(lambda: next(said))
        assert it.board.words[-2:] == ["none", "eject"]
        assert not image.exists()


async def test_what_an_agent_left_in_a_drive_is_taken_out_by_the_next_over_a_few_tries(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("roost_agent.reinstall.left.AGAIN_S", 0.0)
    Left(None, tmp_path).keep("n2")
    assert msgspec.json.decode((tmp_path / FILE).read_bytes()) == {"node": "n2"}
    board = Board(None, tmp_path)
    faults = iter(["timeout", "timeout", ""])
    board.fails["eject"] = lambda: next(faults)
    await Left(board, tmp_path).put_away()
    assert board.words == ["none", "eject", "eject", "eject"]
    assert not (tmp_path / FILE).exists()


async def test_a_drive_that_stays_full_stays_on_the_disk_for_the_next_agent(tmp_path, monkeypatch):
    monkeypatch.setattr("roost_agent.reinstall.left.AGAIN_S", 0.0)
    Left(None, tmp_path).keep("n2")
    board = Board(None, tmp_path)
    board.fails["eject"] = "timeout"
    left = Left(board, tmp_path)
    await left.put_away()
    assert left.node == "n2"


async def test_what_is_left_in_a_drive_is_taken_out_before_another_image_is_put_in(
    tmp_path, monkeypatch, image
):
    Left(None, tmp_path).keep("n2")
    async with scene(tmp_path, monkeypatch) as it:
        with pytest.raises(NotInstalledError, match="emptied first"):
            await it.do()
    assert it.board.words == ["eject"]
    assert not (tmp_path / FILE).exists()
    assert not image.exists()
