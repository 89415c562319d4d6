"""The peer of ingest: an MQTT subscriber that decodes every beat, counts it, and does no more.

``python bare.py PORT`` prints ``ready`` once subscribed; each line on standard input is answered by
the count so far.
"""

import asyncio
import sys

import uvloop
from packets import PUBLISH, SUBACK, connect, split, subscribe

from roost_protocol.beat import Beat
from roost_protocol.codec import Decoder


class Bare(asyncio.Protocol):
    """Splits the stream into packets."""

    def __init__(self) -> None:
        self.count = 0
        self.ready = asyncio.Event()
        self._rest = b""
        self._decode = Decoder[Beat](Beat).decode

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # TCP
        """Say who we are and what we want."""
        transport.write(connect("a-bare") + subscribe("roost/v1/#"))

    def data_received(self, data: bytes) -> None:
        """Take the whole packets out of what came."""
        data, end = self._rest + data, 0
        for first, start, end in split(data):
            if first >> 4 == PUBLISH:
                payload = start + 2 + int.from_bytes(data[start : start + 2], "big")
                self._decode(data[payload:end])
                self.count += 1
            elif first >> 4 == SUBACK:
                self.ready.set()
        self._rest = data[end:]


async def main(port: int) -> None:
    """Answer until standard input ends."""
    loop = asyncio.get_running_loop()
    _, bare = await loop.create_connection(Bare, "127.0.0.1", port)
    await bare.ready.wait()
    print("ready", flush=True)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        print(bare.count, flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
