"""The agent's part of one change, with a centre over TCP: ``FOLDER ADDRESS PORT SEQ DIGEST``.

Settings, the host that says whether the node is reached, and the rule for it are the product's; the
driver is a line each way with the centre, and the helper is whoever reads the files ``asked-VERB``.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from orders import OrderPen

from roost_agent.config_apply import probation, service
from roost_agent.config_apply.looked import Looked
from roost_agent.config_apply.service import NotAppliedError, RootPart, Settings
from roost_agent.ports import SystemClock
from roost_agent.settings_host import DriverHost

LINE_S = 0.4


class Line:
    """Stands for the driver: asks the centre, and notes when it answered."""

    def __init__(self, place, clock):
        self.receipt_ms = None
        self._place = place
        self._clock = clock
        self._wanted = asyncio.Event()
        self.connected = asyncio.Event()

    def ask_centre(self):
        self._wanted.set()

    def changed(self):
        pass

    async def run(self):
        while True:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(LINE_S):
                    reader, writer = await asyncio.open_connection(*self._place)
                try:
                    await self._talk(reader, writer)
                finally:
                    writer.close()
            await asyncio.sleep(0.05)

    async def _talk(self, reader, writer):
        while True:
            async with asyncio.timeout(LINE_S):
                writer.write(b"report\n")
                await writer.drain()
                if await reader.readline() != b"receipt\n":
                    return
            self.receipt_ms = self._clock.boot_ms()
            self.connected.set()
            self._wanted.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self._wanted.wait()


class LineHost(DriverHost):
    """Has nothing that goes by settings but the network."""

    def use(self, own):
        return True

    def refusals(self, said):
        return []


class NoSpool:
    def append(self, batch):
        pass


class NoAlarms:
    is_open = False


async def main(folder, place, seq, digest):
    probation.SETTLE_MS, service.POLL_S, service.ASK_S = 200, 0.05, 0.1
    clock = SystemClock()
    line = Line(place, clock)

    async def ask(verb, of):
        (folder / f"asked-{verb}.new").write_text(of)
        (folder / f"asked-{verb}.new").rename(folder / f"asked-{verb}")

    async def look():
        return Looked()

    host = LineHost(line, lambda: (None, ()), {})
    part = RootPart((OrderPen().known(),), ask, look, jobs=folder / "jobs", told=folder / "told")
    settings = Settings(host, NoSpool(), clock, NoAlarms(), part)
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(line.run())
        await line.connected.wait()
        try:
            said = await settings.apply((folder / "message").read_bytes(), seq, digest)
        except NotAppliedError as err:
            said = f"{err.code}: {err}"
        (folder / "said").write_text(said)
        talking.cancel()


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]), (sys.argv[2], int(sys.argv[3])), int(sys.argv[4]), sys.argv[5])
    )
