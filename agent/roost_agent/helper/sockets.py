"""The helper's socket: where it comes from, who is at the other end, and one frame each way."""

import os
import socket
import struct
from typing import Final

from roost_agent.helper.frame import DETAIL_CHARS_MAX, HEADER, FrameError, check_size, encode
from roost_agent.helper.ports import boot_ms

BACKLOG: Final = 8
FRAME_MS: Final = 1_000  # for a whole request: it is written at once
_HANDED: Final = 3  # sd_listen_fds(3): the first descriptor
_UCRED: Final = struct.Struct("3i")  # pid, uid, gid; unix(7), SO_PEERCRED


def handed_over() -> socket.socket | None:
    """Return the socket that systemd listens on for us; None: nobody handed one over."""
    environ = os.environ
    if environ.get("LISTEN_PID") != str(os.getpid()) or environ.get("LISTEN_FDS") != "1":
        return None
    os.set_inheritable(_HANDED, False)
    listener = socket.socket(fileno=_HANDED)
    listener.setblocking(False)
    return listener


def listening(path: str, owner: int) -> socket.socket:
    """Return a socket of our own, for where no systemd hands one over.

    Raises:
        OSError: it cannot listen there.
    """
    if os.path.lexists(path):
        os.unlink(path)
    kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(path)
    os.chmod(path, 0o600)  # nobody connects before listen()
    if owner != os.geteuid():
        os.chown(path, owner, -1)
    listener.listen(BACKLOG)
    return listener


def uid_of(client: socket.socket) -> int:
    """Return who connected, as the kernel saw it."""
    raw = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])


def read(client: socket.socket) -> bytes:
    """Return the body of the one frame that a client sends.

    Raises:
        FrameError: it is too long, too slow or broken off.
        OSError: the connection broke.
    """
    ends_ms = boot_ms() + FRAME_MS
    (size,) = HEADER.unpack(_exactly(client, HEADER.size, ends_ms))
    check_size(size)
    return _exactly(client, size, ends_ms)


def answer(client: socket.socket, *, error: str = "", detail: str = "") -> None:
    """Answer and hang up; who does not read is not waited for."""
    refused = {"ok": False, "error": error, "detail": detail[:DETAIL_CHARS_MAX]}
    try:
        client.setblocking(False)
        client.send(encode(refused if error else {"ok": True}))
    except OSError:
        pass  # gone: what was done is done, and the log has it
    finally:
        client.close()


def _exactly(client: socket.socket, size: int, ends_ms: int) -> bytes:
    found = b""
    while len(found) < size:
        left_ms = ends_ms - boot_ms()
        if left_ms <= 0:
            raise FrameError(f"frame: not whole after {FRAME_MS} ms")
        client.settimeout(left_ms / 1_000)
        try:
            chunk = client.recv(size - len(found))
        except TimeoutError:
            continue
        if not chunk:
            raise FrameError(f"frame: ends after {len(found)} of {size} bytes")
        found += chunk
    return found
