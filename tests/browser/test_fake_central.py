"""The fake central ends as a server has to: with every connection of it."""

import asyncio
import gc
import socket
import warnings

from tests.browser.fake_central import COOKIE, serving

ASK = f"GET /api/v1/sites?limit=1000 HTTP/1.1\r\nHost: roost\r\nCookie: {COOKIE}=s\r\n\r\n"


def test_a_peer_that_reads_no_more_is_left_when_the_server_ends():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            asyncio.run(_ask_and_look_away(peer))
        gc.collect()
    assert [str(one.message) for one in told] == []


async def _ask_and_look_away(peer: socket.socket) -> None:
    async with serving(4000) as (central, address):
        central.sessions.add("s")
        host, port = address.removeprefix("http://").split(":")
        await asyncio.to_thread(peer.connect, (host, int(port)))
        await asyncio.to_thread(peer.sendall, ASK.encode() * 400)
        await asyncio.sleep(0.5)
