"""The control socket: bounded, and plain about what it refuses."""

import asyncio
import socket
import stat

import pytest

from roost_agent.control.client import ask
from roost_agent.control.message import Answer, PathHold, Reprobe, Status, request_decoder
from roost_agent.control.server import CLIENTS_MAX, SOCKET, serving
from roost_agent.errors import AgentError


class Agent:
    def __init__(self):
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        return Answer(result={"n": len(self.asked)})


async def raw(folder, line):
    reader, writer = await asyncio.open_unix_connection(folder / SOCKET)
    writer.write(line)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_request_is_answered(tmp_path):
    agent = Agent()
    async with serving(tmp_path, agent):
        answer = await asyncio.to_thread(ask, tmp_path, PathHold("wan1", 5))
        assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == 0o600
    assert (answer.result, agent.asked) == ({"n": 1}, [PathHold("wan1", 5)])
    assert not (tmp_path / SOCKET).exists()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"x" * 5_000 + b"\n", b"longer than"),
        (b'{"do":"status"}', b"request cut"),
        (b"nonsense\n", b"malformed"),
        (b'{"do":"format-disk"}\n', b"Invalid value"),
        (b'{"do":"status","and":1}\n', b"unknown field"),
        (b'{"do":"path-hold","path":"wan1","seconds":0}\n', b">= 1"),
        (b'{"do":"reprobe","classes":["--root"]}\n', b"matching regex"),
        (b"\xff\n", b"request:"),
        (b"[" * 3_000 + b"\n", b"request:"),
    ],
)
async def test_what_is_no_request_is_refused_with_its_reason(tmp_path, line, error):
    agent = Agent()
    async with serving(tmp_path, agent):
        assert error in await raw(tmp_path, line)
    assert agent.asked == []


async def test_more_clients_than_it_serves_are_told_so(tmp_path):
    async with serving(tmp_path, Agent()):
        idle = [socket.socket(socket.AF_UNIX) for _ in range(CLIENTS_MAX)]
        for client in idle:
            client.connect(str(tmp_path / SOCKET))
        await asyncio.sleep(0.1)
        assert b"busy" in await raw(tmp_path, b'{"do":"status"}\n')
        for client in idle:
            client.close()
        await asyncio.sleep(0.1)
        assert b"busy" not in await raw(tmp_path, b'{"do":"status"}\n')


async def test_a_socket_left_by_a_killed_agent_is_replaced(tmp_path):
    (tmp_path / SOCKET).touch()
    async with serving(tmp_path, Agent()):
        assert (await asyncio.to_thread(ask, tmp_path, Status())).error == ""


async def test_where_no_socket_can_be_made_the_agent_runs_without(tmp_path):
    async with serving(tmp_path / "missing", Agent()):
        with pytest.raises(AgentError, match="no agent answers"):
            await asyncio.to_thread(ask, tmp_path / "missing", Reprobe())


def test_requests_round_trip():
    assert request_decoder.decode(b'{"do":"reprobe","classes":["cpu"]}') == Reprobe(["cpu"])
