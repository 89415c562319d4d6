"""The peer of ingest: an MQTT subscriber that decodes every beat, counts it, and does no more.

``python bare.py PORT`` prints ``ready`` once subscribed; each line on standard input is answered by
the count so far.
"""

import asyncio
import sys

import uvloop
from stream import CONNECT

from roost_protocol.beat import Beat
from roost_protocol.codec import Decoder

SUBSCRIBE = b"\x82\x0f\x00\x01\x00\x0aroost/v1/#\x00"


class Bare(asyncio.Protocol):
    """Splits the stream into packets."""

    def __init__(self) -> None:
        self.count = 0
        self.ready = asyncio.Event()
        self._rest = b""
        self._decode = Decoder[Beat](Beat).decode

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # TCP
        """Say who we are and what we want."""
        transport.write(CONNECT.replace(b"stream", b"a-bare") + SUBSCRIBE)

    def data_received(self, data: bytes) -> None:
        """Take the whole packets out of what came."""
        data, at = self._rest + data, 0
        while at + 2 <= len(data):
            size, shift, start = 0, 0, at + 1
            while start < len(data):
                byte = data[start]
                size |= (byte & 0x7F) << shift
                shift += 7
                start += 1
                if byte < 0x80:
                    break
            else:
                break
            if start + size > len(data):
                break
            if data[at] >> 4 == 3:
                topic = int.from_bytes(data[start : start + 2], "big")
                self._decode(data[start + 2 + topic : start + size])
                self.count += 1
            elif data[at] >> 4 == 9:
                self.ready.set()
            at = start + size
        self._rest = data[at:]


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
