"""Frames on their way into one socket: at once, or not at all."""

import asyncio
import socket
from types import SimpleNamespace

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client
from waiting import until

from roost_agent.ha.mqtt_writer import Writer

FRAME = b"f" * 1_000
TOPIC = "roost/ha/v1/lab.c0/beat/0"


@pytest.fixture
def ends():
    """Two ends of a connection that has little room."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.fixture
async def writer(ends):
    paho = Client(CallbackAPIVersion.VERSION2)
    paho._sock = ends[0]
    yield Writer(SimpleNamespace(_client=paho))
    paho._sock = None  # the fixture's to close


def read(end):
    """All that came."""
    parts = []
    while True:
        try:
            parts.append(end.recv(1 << 20))
        except BlockingIOError:
            return b"".join(parts)


async def test_what_one_turn_says_is_written_in_the_next_in_its_order(writer, ends):
    assert all([writer.send(TOPIC, b"one"), writer.send(TOPIC, b"two")])
    assert read(ends[1]) == b"", "paho may be within a callback"
    await asyncio.sleep(0)
    came = read(ends[1])
    assert came.index(b"one") < came.index(b"two")


async def filled(writer):
    """Send until nothing more is taken; return how many were."""
    for sent in range(10_000):
        if not writer.send(TOPIC, FRAME):
            return sent
        await asyncio.sleep(0)
    raise AssertionError("it takes all")


async def test_a_full_socket_drops_what_comes_and_goes_on_once_it_has_room(writer, ends):
    sent = await filled(writer)
    came = read(ends[1])
    assert came.count(FRAME) < sent, "the last one waits, in part or whole"

    def whole():
        nonlocal came
        came += read(ends[1])
        return came.count(FRAME) == sent

    await until(whole, "what was taken is written to its end")
    assert writer.send(TOPIC, b"after it")
    await asyncio.sleep(0)
    assert b"after it" in read(ends[1])


async def test_a_connection_that_is_closed_while_it_is_full_leaves_nothing_behind(writer, ends):
    await filled(writer)
    number = ends[0].fileno()
    writer._paho._sock_close()
    assert not asyncio.get_running_loop().remove_writer(number)
