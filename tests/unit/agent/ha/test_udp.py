"""Datagrams over loopback: real sockets."""

import asyncio
import socket
from contextlib import asynccontextmanager

from roost_agent.ha import udp
from roost_agent.ha.udp import UdpPath
from roost_protocol.limits import HA_FRAME_BYTES_MAX

ADDRESS = {0: "127.0.0.1", 1: "127.0.0.2", 2: "127.0.0.3"}


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ADDRESS[0], 0))
        return sock.getsockname()[1]


@asynccontextmanager
async def running(*paths):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(path.run()) for path in paths]
        for path in paths:
            await until(lambda path=path: path.is_open)
        yield
        for task in tasks:
            task.cancel()


async def until(true):
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


def path_of(me, port, hear=lambda number, payload: None):
    peers = {node: address for node, address in ADDRESS.items() if node != me}
    return UdpPath(3, ADDRESS[me], port, peers=peers, hear=hear)


async def test_a_beat_reaches_every_peer_and_a_lease_frame_one():
    port, came = free_udp_port(), []
    paths = [path_of(me, port, lambda n, load, me=me: came.append((me, n, load))) for me in ADDRESS]
    async with running(*paths):
        assert paths[0].fault == ""
        paths[0].beat(b"beat")
        await until(lambda: len(came) == 2)
        paths[1].lease(0, b"grant")
        paths[1].lease(9, b"to nobody")
        await until(lambda: len(came) == 3)
    assert sorted(came[:2]) == [(1, 3, b"beat"), (2, 3, b"beat")]
    assert came[2] == (0, 3, b"grant")
    assert not paths[0].is_open


async def test_strangers_are_counted_and_dropped_and_long_datagrams_are_the_codecs_to_refuse():
    port, came = free_udp_port(), []
    path = path_of(0, port, lambda number, payload: came.append(payload))
    async with running(path):
        for address, payload in (("127.0.0.9", b"x"), ("127.0.0.2", bytes(HA_FRAME_BYTES_MAX + 1))):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.bind((address, 0))
                sock.sendto(payload, (ADDRESS[0], port))
        await until(lambda: came)
    assert path.strangers == 1
    assert came == [bytes(HA_FRAME_BYTES_MAX + 1)]


async def test_an_address_that_is_not_there_yet_is_tried_again(monkeypatch):
    monkeypatch.setattr(udp, "REBIND_S", 0.02)
    port = free_udp_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((ADDRESS[0], port))
        path = path_of(0, port)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(path.run())
            await until(lambda: "in use" in path.fault.lower())
            path.beat(b"lost")
            assert path.discarded == 2
            taken.close()
            await until(lambda: path.is_open)
            path.abort("there is no connection")
            path.pause_writing()
            path.lease(1, b"dropped")
            assert path.discarded == 3
            path.resume_writing()
            path.error_received(OSError("refused"))
            assert path.discarded == 4
            path._transport.abort()
            await until(lambda: path.fault == "closed" or path.is_open)
            task.cancel()
