"""Where a message may go: private addresses in every disguise, names that change their mind."""

import asyncio
import socket

import pytest
from hook_receiver import Receiver

from roost_central.northbound.http import Poster, PrivateAddressError, is_private


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse, not one to bind
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_private(address):
    assert is_private(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_a_public_address_is_not(address):
    assert not is_private(address)


@pytest.fixture
def rebinding(monkeypatch):
    """A name whose addresses a test chooses; nothing else is resolved."""
    answers = []

    async def getaddrinfo(_loop, host, port, **_more):
        assert host == "hook.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[0], port))]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return answers


async def test_a_name_that_turns_private_is_refused_at_its_next_connection(rebinding):
    async with Receiver().serving() as receiver:
        poster = Poster(f"http://hook.example:{receiver.port}/x", allow_private=False)
        rebinding[:] = ["127.0.0.1"]
        answer = await poster.post(b"{}", {})
        assert answer.status == 0
        assert "127.0.0.1 is a private address" in answer.error
        allowed = Poster(f"http://hook.example:{receiver.port}/x", allow_private=True)
        assert (await allowed.post(b"{}", {})).is_ok
        assert len(receiver.requests) == 1


async def test_an_address_written_as_such_is_looked_at_too():
    for url in ("http://127.0.0.1:9/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]:9/"):
        answer = await Poster(url, allow_private=False).post(b"{}", {})
        assert "is a private address" in answer.error, url


def test_the_refusal_is_an_error_of_the_network():
    assert issubclass(PrivateAddressError, OSError)
