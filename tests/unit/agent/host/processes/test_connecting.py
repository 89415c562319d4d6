"""Connections to real sockets: one that listens, one that does not, one whose queue is full."""

import errno
import os
import socket

import pytest
from loopback_ports import free_port

from roost_agent.host.processes.connecting import Connections
from roost_agent.host.processes.definition import Definition, Mode


def of(place, timeout=1):
    return Definition(
        process="pump", file="f", mode=Mode.SOCKET, socket=str(place), timeout=timeout
    )


@pytest.fixture
def listener():
    made = []

    def listen(address, family=socket.AF_UNIX, backlog=8):
        made.append(socket.socket(family, socket.SOCK_STREAM))
        made[-1].bind(address)
        made[-1].listen(backlog)
        return made[-1]

    yield listen
    for each in made:
        each.close()


async def test_who_listens_is_well_and_who_does_not_is_not(listener, tmp_path):
    listener(str(tmp_path / "s"))
    port = listener(("127.0.0.1", 0), socket.AF_INET).getsockname()[1]
    asks = Connections()
    assert await asks.complaint(of(tmp_path / "s")) == ""
    assert await asks.complaint(of(f"127.0.0.1:{port}")) == ""
    closed = free_port()
    assert (
        await asks.complaint(of(f"127.0.0.1:{closed}")) == f"127.0.0.1:{closed}: Connection refused"
    )
    assert await asks.complaint(of("/nowhere/s")) == "/nowhere/s: No such file or directory"


async def test_an_address_of_version_six_is_in_brackets(listener):
    try:
        port = listener(("::1", 0), socket.AF_INET6).getsockname()[1]
    except OSError as err:
        pytest.skip(f"kernel lacks IPv6 on loopback: {err.strerror}")
    assert await Connections().complaint(of(f"[::1]:{port}")) == ""


async def test_one_that_takes_no_connection_any_more_is_not_well(listener, tmp_path):
    listener(str(tmp_path / "s"), backlog=0)
    asks = Connections()
    said = [await asks.complaint(of(tmp_path / "s")) for _ in range(1)]
    with socket.socket(socket.AF_UNIX) as first:
        first.setblocking(False)
        first.connect_ex(str(tmp_path / "s"))
        said.append(await asks.complaint(of(tmp_path / "s")))
    assert said[-1] == f"{tmp_path}/s: no connection within 1 s"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES])
async def test_what_we_lack_ourselves_says_nothing_of_it_and_is_told(monkeypatch, number, tmp_path):
    def none(*_args):
        raise OSError(number, os.strerror(number))

    asks = Connections()
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", none)
        assert await asks.complaint(of(tmp_path / "s")) is None
    assert os.strerror(number) in asks.faults["pump"]
    await asks.complaint(of(tmp_path / "s"))
    assert asks.faults == {}
