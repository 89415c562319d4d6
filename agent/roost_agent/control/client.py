"""Asks the resident agent over its control socket; blocking, for the command line."""

import socket
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.control.message import ANSWER_BYTES_MAX, Answer, Request, answer_decoder
from roost_agent.control.server import SOCKET
from roost_agent.errors import AgentError

WAIT_S: Final = 5.0
CHUNK_BYTES: Final = 64 << 10


def ask(state_dir: Path, request: Request) -> Answer:
    """Return the agent's answer.

    Raises:
        AgentError: no agent answers there.
    """
    path = state_dir / SOCKET
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(WAIT_S)
            sock.connect(str(path))
            sock.sendall(msgspec.json.encode(request) + b"\n")
            raw = _read(sock)
    except OSError as err:
        raise AgentError(f"no agent answers on {path}: {err}") from err
    try:
        return answer_decoder.decode(raw)
    except msgspec.MsgspecError as err:
        raise AgentError(f"{path}: an answer that cannot be read: {err}") from err


def _read(sock: socket.socket) -> bytes:
    raw = bytearray()
    while len(raw) <= ANSWER_BYTES_MAX and (chunk := sock.recv(CHUNK_BYTES)):
        raw += chunk
    return bytes(raw)
