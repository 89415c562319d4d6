"""The witnesses at work: real files and macs, and what is not believed."""

import asyncio
import contextlib

import pytest
from msgspec.structs import replace
from witness_site import SAID, asked

from roost_central.ports import SystemClock, SystemEntropy
from roost_central.witness.service import FOLDER, FRAMES_MAX, Witnesses
from roost_central.witness.shelf import read_all
from roost_protocol.configuration import WITNESS
from roost_protocol.ha import Echo, Kind, open_frame, seal

KEYS = {"c0": b"0" * 32, "c1": b"1" * 32}


class Centre:
    """A running service, and what it sent."""

    def __init__(self, tmp_path):
        folder = tmp_path / "keys"
        folder.mkdir(exist_ok=True)
        file = folder / "lab.keys"
        pairs = "".join(f'"{node}:witness" = "{key.hex()}"\n' for node, key in KEYS.items())
        file.write_text(f"[pairs]\n{pairs}")
        file.chmod(0o600)
        self.folder = tmp_path / FOLDER
        self.sent = []
        self.service = Witnesses(folder, tmp_path, SystemClock(), SystemEntropy())
        self.service.send = self.send
        self.seq = 0

    def send(self, broker, node, payload):
        name = node.partition(".")[2]
        frame = open_frame(payload, site="lab", me=int(name[1]), keys={WITNESS: KEYS[name]})
        self.sent.append((broker, node, frame))
        return True

    @contextlib.asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.service.run())
            yield self
            task.cancel()

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - looks from outside
                await asyncio.sleep(0.005)

    async def says(self, node, broker="b1"):
        """Let a node enlist, again until it is answered; return how."""
        before = len(self.sent)
        async with asyncio.timeout(10):
            while len(self.sent) == before:
                self.seq += 1
                last = [f for _, _, f in self.sent if f.to == node][-1:]
                echo = {WITNESS: Echo(last[0].inc, last[0].seq, 0)} if last else {}
                frame = asked(node, seq=self.seq, echo=echo, enlistment=SAID)
                payload = seal(frame, {WITNESS: KEYS[f"c{node}"]})
                self.service.offer(broker, "lab", f"c{node}", payload)
                await asyncio.sleep(0.05)
        broker, node, frame = self.sent[-1]
        return broker, node, frame.reason or frame.kind


async def test_it_answers_on_the_broker_that_asked_and_keeps_its_start(tmp_path):
    async with Centre(tmp_path).running() as centre:
        assert await centre.says(0, "b2") == ("b2", "lab.c0", "stale")
        assert await centre.says(0) == ("b1", "lab.c0", "unlike")
        assert (await centre.says(1))[2] == "stale"
        for node in (1, 1, 0, 0):
            answer = await centre.says(node)
        assert answer == ("b1", "lab.c0", Kind.GRANT)
    kept = read_all(centre.folder)["lab"]
    assert kept.state.cfg is None, "nobody made it a voter yet"
    async with Centre(tmp_path).running() as again:
        await again.says(0)
        assert again.sent[-1][2].inc > kept.state.inc, "the same voter, started once more"


async def test_what_is_not_believed_is_counted_and_answered_by_nothing(tmp_path):
    async with Centre(tmp_path).running() as centre:
        offer = centre.service.offer
        frame = asked(0, enlistment=SAID)
        good = seal(frame, {WITNESS: KEYS["c0"]})
        offer("b1", "lab", "c0", b"")
        offer("b1", "lab", "c0", b"\x92\xc4\x00")
        offer("b1", "lab", "c0", b"x" * 70_000)
        offer("b1", "lab", "c1", good)
        offer("b1", "lab", "w1", good)
        offer("b1", "shop", "c0", good)
        offer("b1", "lab", "c0", seal(replace(frame, site="shop"), {WITNESS: KEYS["c0"]}))
        await centre.until(lambda: sum(centre.service.refused.values()) == 7)
        assert centre.service.refused["no-key"] == 2
        assert centre.service.refused["mac"] == 1
        assert centre.service.refused["site"] == 1
        assert centre.sent == []


async def test_more_than_there_is_room_for_is_refused(tmp_path):
    centre = Centre(tmp_path)
    for _ in range(FRAMES_MAX):
        assert centre.service.offer("b1", "lab", "c0", b"")
    assert not centre.service.offer("b1", "lab", "c0", b"")


@pytest.mark.parametrize("content", [b"", b"not MessagePack"])
def test_what_it_kept_and_cannot_read_is_as_nothing(tmp_path, content, caplog):
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "lab").write_bytes(content)
    (folder / "lab.new").write_bytes(b"half a write")
    assert read_all(folder) == {}
    assert "begins anew" in caplog.text


async def test_a_site_whose_voter_fails_takes_no_other_with_it(tmp_path, caplog):
    async with Centre(tmp_path).running() as centre:
        await centre.says(0)
        centre.service._sites["lab"].handle = None
        centre.seq += 1
        frame = asked(0, seq=centre.seq, enlistment=SAID)
        payload = seal(frame, {WITNESS: KEYS["c0"]})
        centre.service.offer("b1", "lab", "c0", payload)
        await centre.until(lambda: "votes no more until a restart" in caplog.text)
        centre.service.offer("b1", "lab", "c0", payload)
        centre.service.offer("b1", "lab", "w1", payload)
        await centre.until(lambda: centre.service.refused["no-key"] == 1)
