"""The guard's socket: who may speak, a few at a time, a packet at a time."""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Callable

from roost_agent.guard.packet import PACKET_BYTES_MAX
from roost_agent.guard.record import Final

CLIENTS_MAX: Final = 4  # the agent, the one that takes its place, and a person who looks
BACKLOG: Final = 4

_UCRED: Final = struct.Struct("3i")  # pid, uid, gid


class Sockets:
    """The listening socket and its clients.

    Args:
        path: where it listens; what lies there is replaced.
        agent_uid: who may speak besides root and the guard's own user; -1: nobody.
        answer: makes the answer of a packet.

    Raises:
        OSError: it cannot listen there.
    """

    def __init__(self, path: str, agent_uid: int, answer: Callable[[bytes], bytes]) -> None:
        self._path = path
        self._uids = {0, os.geteuid()} | ({agent_uid} if agent_uid >= 0 else set())
        self._answer = answer
        self._clients: dict[int, socket.socket] = {}
        self._poller = select.poll()
        self._listener = _listening(path, agent_uid)
        self._poller.register(self._listener, select.POLLIN)

    def watch(self, descriptor: int) -> None:
        """Wake up for this descriptor too; what it holds is read and dropped."""
        self._poller.register(descriptor, select.POLLIN)

    def wait(self, wait_ms: int) -> list[int]:
        """Return what can be read, after ``wait_ms`` at the most."""
        return [descriptor for descriptor, _ in self._poller.poll(wait_ms)]

    def serve(self, descriptor: int) -> None:
        """Take in what one descriptor has: a client, or its packet."""
        if descriptor == self._listener.fileno():
            self._accept()
        elif descriptor in self._clients:
            self._packet(self._clients[descriptor])
        else:
            os.read(descriptor, 64)

    def close(self) -> None:
        """End all connections; the path stays, so that a client sees a refusal and not a gap."""
        for client in list(self._clients.values()):
            self._drop(client)
        self._listener.close()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # it was gone already
        client.setblocking(False)
        if len(self._clients) >= CLIENTS_MAX or _uid(client) not in self._uids:
            client.close()
            return
        self._clients[client.fileno()] = client
        self._poller.register(client, select.POLLIN)

    def _packet(self, client: socket.socket) -> None:
        try:
            raw = client.recv(PACKET_BYTES_MAX + 1)
            if raw:
                client.send(self._answer(raw))
                return
        except OSError:
            pass  # it does not read, or is gone: cut off, never waited for
        self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._poller.unregister(client)
        del self._clients[client.fileno()]
        client.close()


def _listening(path: str, owner: int) -> socket.socket:
    if os.path.lexists(path):
        os.unlink(path)
    kind = socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(path)
    os.chmod(path, 0o600)  # nobody connects before listen()
    if owner >= 0:
        os.chown(path, owner, -1)
    listener.listen(BACKLOG)
    return listener


def _uid(client: socket.socket) -> int:
    raw = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])
