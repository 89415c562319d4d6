"""The image that is lent, by the child that does it, to whoever asks over HTTP."""

import asyncio
import http.client
from urllib.parse import urlsplit

import pytest

from roost_agent.reinstall.fault import NotInstalledError
from roost_agent.reinstall.medium import address_towards, lending

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "i.iso"
    made.write_bytes(CONTENT)
    (tmp_path / "secret").write_text("not for a board")
    return made


def ask(url, path=None, method="GET", **headers):
    where = urlsplit(url)
    link = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    try:
        link.request(method, path or where.path, headers=headers)
        answer = link.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        link.close()


async def test_a_board_gets_the_image_whole_or_in_parts_and_nothing_else(file):
    async with lending(file, "127.0.0.1", "token", 60) as lent:
        whole, part, head, tail, *wrong = await asyncio.to_thread(
            lambda: [
                ask(lent.url),
                ask(lent.url, Range="bytes=10-19"),
                ask(lent.url, method="HEAD"),
                ask(lent.url, Range="bytes=10230-"),
                *(ask(lent.url, path) for path in ("/", "/token/secret", "/token/../secret")),
                ask(lent.url, Range="bytes=99999-"),
            ]
        )
        async with asyncio.timeout(20):
            await lent.taken()
    assert (whole[0], whole[2]) == (200, CONTENT)
    assert (part[0], part[2]) == (206, CONTENT[10:20])
    assert part[1]["Content-Range"] == "bytes 10-19/10240"
    assert (head[0], head[1]["Content-Length"], head[2]) == (200, "10240", b"")
    assert (tail[0], tail[2]) == (206, CONTENT[10_230:])
    assert [status for status, *_ in wrong] == [404, 404, 404, 416]
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(ask, lent.url)


async def test_it_ends_by_itself_when_its_time_is_up(file):
    async with lending(file, "127.0.0.1", "token", 0.1) as lent:
        async with asyncio.timeout(20):
            with pytest.raises(NotInstalledError, match="has ended"):
                await lent.taken()


async def test_an_address_that_is_none_of_ours_is_told(file):
    with pytest.raises(NotInstalledError, match=r"192\.0\.2\.1"):
        async with lending(file, "192.0.2.1", "token", 5):
            raise AssertionError("it cannot be")


async def test_the_address_is_that_of_the_route_to_the_board():
    assert await address_towards("127.0.0.1") == "127.0.0.1"
