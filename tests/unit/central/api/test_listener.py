"""Places are bounded, and slow peers cost each other, not who is quick."""

import asyncio
import ssl
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import uvloop
from aiohttp import web
from fleet_pki import DOMAIN, Pki

from roost_central.api import listener
from roost_central.api.listener import listening
from roost_central.api.routes import ROUTES
from roost_central.api.server import application

NAME = f"api.svc.{DOMAIN}"


@pytest.fixture(scope="module")
def server_tls(tmp_path_factory):
    """Both ends of a handshake."""
    pki = Pki(tmp_path_factory.mktemp("pki"))
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(*pki.server("api"))
    return theirs, ssl.create_default_context(cafile=pki.folder / "root.pem")


async def ended(reader):
    async with asyncio.timeout(5):
        return await reader.read()


async def answered(reader, writer):
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(5):
        return await reader.readline()


@asynccontextmanager
async def door(central, app=None, **more):
    """Serve; give what opens a connection."""
    async with (
        listening(app or application(central.api, ROUTES), "127.0.0.1", 0, **more) as port,
        AsyncExitStack() as held,
    ):

        async def come(**more):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, **more)
            held.callback(writer.close)
            return reader, writer

        yield come


async def test_who_waits_longest_without_a_request_makes_room(central):
    async with door(central, connections_max=2) as come:
        first, second = await come(), await come()
        assert b" 200 " in await answered(*second)
        third = await come()
        assert b" 200 " in await answered(*third)
        assert await ended(first[0]) == b""
        assert b"Content-Length" in await second[0].read(4_096)  # it was not the one


async def test_where_everybody_is_being_answered_one_more_is_hung_up_on(central):
    is_done = asyncio.Event()

    async def slow(_request):
        await is_done.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/slow", slow)
    async with door(central, app, connections_max=2) as come:
        busy = [await come() for _ in range(2)]
        for _, writer in busy:
            writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.1)
        reader, _ = await come()
        with suppress(ConnectionError):
            assert await ended(reader) == b""
        is_done.set()
        assert [b" 200 " in await reader.readline() for reader, _ in busy] == [True, True]


async def test_the_oldest_handshake_makes_room_for_the_next(central, server_tls, monkeypatch):
    monkeypatch.setattr(listener, "HANDSHAKES_MAX", 3)
    theirs, ours = server_tls
    async with door(central, tls=theirs) as come:
        half_open = [await come() for _ in range(5)]
        assert [await ended(reader) for reader, _ in half_open[:2]] == [b"", b""]
        assert b" 200 " in await answered(*(await come(ssl=ours, server_hostname=NAME)))


async def test_a_handshake_that_dawdles_is_ended(central, server_tls, monkeypatch):
    monkeypatch.setattr(listener, "HANDSHAKE_S_MAX", 0.2)
    async with door(central, tls=server_tls[0]) as come:
        reader, writer = await come()
        writer.write(bytes.fromhex("160301"))  # a record begins, and no more of it comes
        with suppress(ConnectionError):
            assert await ended(reader) == b""


def test_on_the_loop_of_the_product_too_who_waits_makes_room(server_tls):
    """uvloop's transports are others, with TLS others again."""
    theirs, ours = server_tls

    async def hello(_request):
        return web.Response()

    async def trial():
        app = web.Application()
        app.router.add_get("/health", hello)
        async with door(None, app, tls=theirs, connections_max=1) as come:
            first = await come(ssl=ours, server_hostname=NAME)
            second = await come(ssl=ours, server_hostname=NAME)
            assert b" 200 " in await answered(*second)
            with suppress(ConnectionError):
                assert await ended(first[0]) == b""

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(trial())
