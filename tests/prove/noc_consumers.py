"""Those who read the NOC's feeds, of each kind one, well or sick as told: real programs.

Well, all take what they are sent. Sick, one webhook's receiver reads a byte a second, the other
reads all and never answers, nobody listens on the SNMP receiver's port, the reader of the NOC's
broker is stopped in its tracks, and after a while the broker itself is (SIGSTOP).
"""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from central_process import CentralProcess
from loopback_ports import free_port
from snmp_receiver import COMMUNITY, TRAPD, Trapd
from waiting import until, wait_until

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
BROKER = re.compile(r"NOC's broker runs as (\d+)")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BYTE_S = 1.0  # from one byte that the slow receiver reads to the next
BUFFER_BYTES = 256  # that it takes before it reads: less than a message
ACCEPT_S = 0.2  # from the last connection until it has its handler
SETTLE_S = 120.0  # until all that waited was taken, on a busy machine
BEHIND_MAX = 50  # transitions: a target that is well has just been given them


class Hook:
    """The receiver of one webhook."""

    def __init__(self, *, reads: bool) -> None:
        self.port = 0
        self.is_well = asyncio.Event()
        self.is_well.set()
        self._reads = reads
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen until the end of the context."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0, limit=BUFFER_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            await asyncio.sleep(ACCEPT_S)  # a server that closes leaks what it is just accepting
            self.recover()
            server.close()
            await until(lambda: not self._open, "the last of its connections ends")

    def recover(self) -> None:
        """Be well again; what it held it lets go."""
        self.is_well.set()
        for writer in list(self._open):
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    await self._answer(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._open.discard(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            slow = not (self._reads or self.is_well.is_set())
            some = await reader.read(1 if slow else BUFFER_BYTES)
            if not some:
                raise asyncio.IncompleteReadError(head, None)
            head += some
            await asyncio.sleep(BYTE_S if slow else 0)
        head, _, body = head.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        await reader.readexactly(int(found.group(1)) - len(body) if found else 0)
        await self.is_well.wait()
        writer.write(ANSWER)
        await writer.drain()


class Consumers:
    """All of them, of one centre that is configured for them here."""

    def __init__(self, folder: Path, central: CentralProcess) -> None:
        self._folder = folder
        self._central = central
        self._hooks = {"trickle": Hook(reads=False), "mute": Hook(reads=True)}
        assert TRAPD is not None, "snmptrapd is not installed"
        self._trapd = Trapd(folder, free_port())
        self._trapd.configure(f"authCommunity log {COMMUNITY}")
        self._noc_port = free_port()
        self._reader: subprocess.Popen[bytes] | None = None
        self._broker = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Have all of them run beside the centre, which is started here, until the end."""
        async with self._hooks["trickle"].serving(), self._hooks["mute"].serving():
            try:
                await asyncio.to_thread(self._start)
                yield
            finally:
                self._signal(signal.SIGCONT)
                self._signal_broker(signal.SIGCONT)
                if self._reader is not None:
                    self._reader.kill()
                    self._reader.wait()
                self._trapd.stop()
                self._central.kill()

    def sicken(self) -> None:
        """Have every consumer stop to take anything; the NOC's broker still does."""
        for hook in self._hooks.values():
            hook.is_well.clear()
        self._trapd.stop()
        self._signal(signal.SIGSTOP)

    def stop_broker(self) -> None:
        """Stop the NOC's broker too."""
        self._signal_broker(signal.SIGSTOP)

    async def felt(self) -> dict[str, int]:
        """Return how many transitions wait for each target, once some do for all of them."""
        await until(lambda: all(self.queues().values()), "nobody takes anything")
        return await asyncio.to_thread(self.queues)

    async def recover(self) -> None:
        """Be well again, and return once all that waited was taken, but for SNMP's."""
        self._signal(signal.SIGCONT)
        self._signal_broker(signal.SIGCONT)
        for hook in self._hooks.values():
            hook.recover()
        await asyncio.to_thread(self._trapd.stop)
        await asyncio.to_thread(self._trapd.start)
        await until(self._is_served, "all take what they are sent again", seconds=SETTLE_S)

    def queues(self) -> dict[str, int]:
        """How many transitions wait for each target."""
        found = self._central.get("/api/v1/northbound")["targets"]
        return {each["name"]: each["queue"] for each in found}

    def _is_served(self) -> bool:
        found = self._central.get("/api/v1/northbound")["targets"]
        for each in found:
            if each["state"] != "ok" and each["name"] != "mqtt":  # a test that works ends back-off
                self._central.post(f"/api/v1/northbound/{each['name']}:test")
        return all(
            each["state"] == "ok" and (each["queue"] <= BEHIND_MAX or each["name"] == "snmp")
            for each in found  # SNMP says each note that failed again within a minute, not at once
        )

    def _start(self) -> None:
        """Configure and start the centre, and the reader of its NOC broker."""
        self._trapd.start()
        for name, text in (("secret", "a secret of some length"), ("community", COMMUNITY)):
            (self._folder / name).write_text(text)
            (self._folder / name).chmod(0o600)
        self._central.configure(
            f"[northbound.mqtt]\nport = {self._noc_port}\n"
            + "".join(
                f'[[northbound.webhook]]\nname = "{name}"\nallow_private = true\n'
                f'url = "http://127.0.0.1:{hook.port}/"\nsecret_file = "{self._folder}/secret"\n'
                for name, hook in self._hooks.items()
            )
            + f'[[northbound.snmp]]\nname = "snmp"\nhost = "127.0.0.1"\nport = {self._trapd.port}\n'
            f'version = "2c"\ncommunity_file = "{self._folder}/community"\n'
        )
        self._central.start()
        self._central.ready()
        wait_until(lambda: BROKER.search(self._central.log.read_text()), "the NOC's broker runs")
        wait_until(self._is_served, "the feed is connected", seconds=SETTLE_S)
        secret = self._central.data_dir / "noc" / "noc.secret"
        (self._folder / "mosquitto_sub").write_text(f"-u noc\n-P {secret.read_text().strip()}\n")
        self._reader = subprocess.Popen(
            ["mosquitto_sub", "-p", str(self._noc_port), "-q", "1", "-t", "noc/v1/#"],
            env=os.environ | {"XDG_CONFIG_HOME": str(self._folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _signal(self, number: int) -> None:
        if self._reader is not None:
            assert self._reader.poll() is None, "the reader of the NOC's broker has ended"
            self._reader.send_signal(number)

    def _signal_broker(self, number: int) -> None:
        """Signal the broker that the centre said last that it runs."""
        found = BROKER.findall(self._central.log.read_text())
        if found:
            with suppress(ProcessLookupError):
                os.kill(int(found[-1]), number)
