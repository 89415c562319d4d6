"""Hands frames to the kernel, or drops them: what would wait here is old by the time it leaves.

aiomqtt waits for each message with a task, a timeout and two changes of what the loop polls, which
was a fifth of what local HA costs; so frames go to paho, which is under it. A socket that takes
nothing more is the only reason to wait: what came before is written as soon as it takes it, and
what comes meanwhile is dropped. Leaves to others: what ends such a connection (runtime, the
kernel's USER_TIMEOUT).
"""

import asyncio
from typing import TYPE_CHECKING

import aiomqtt
from paho.mqtt.client import Client

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike


class Writer:
    """See the module.

    Args:
        client: a connection that stands, and that nothing else sends on.
    """

    def __init__(self, client: aiomqtt.Client) -> None:
        self._loop = asyncio.get_running_loop()
        self._paho: Client = client._client  # noqa: SLF001 - what aiomqtt itself sends with
        self._is_full = False
        self._paho.on_publish = None  # nobody waits for it, and paho makes it two objects a message
        self._paho.on_socket_register_write = self._wanted
        self._paho.on_socket_unregister_write = self._written

    def send(self, topic: str, payload: bytes) -> bool:
        """Send a message of QoS 0; return whether it is on its way."""
        if self._is_full:
            return False
        self._paho.publish(topic, payload)
        return True

    def _wanted(self, _paho: Client, _userdata: object, sock: "SocketLike") -> None:
        """Write in the loop's next turn: in this one paho may be within a callback of its own."""
        self._loop.call_soon(self._write, sock)

    def _write(self, sock: "SocketLike") -> None:
        self._paho.loop_write()
        if self._paho.socket() is sock and self._paho.want_write():
            self._is_full = True
            self._loop.add_writer(sock.fileno(), self._paho.loop_write)

    def _written(self, _paho: Client, _userdata: object, sock: "SocketLike") -> None:
        """Take in that all is written, or that the socket is about to be closed."""
        if self._is_full:
            self._is_full = False
            self._loop.remove_writer(sock.fileno())
