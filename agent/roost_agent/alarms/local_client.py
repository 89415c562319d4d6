"""Raise alarms from an application on the node. One file of the standard library: copy it freely.

    from roost_agent.alarms.local_client import APP_ALARM, AlarmClient

    alarms = AlarmClient()
    alarms.raise_alarm(APP_ALARM, "app=pump,unit=2", "major", "Pressure 9 bar, limit 8 bar")
    alarms.clear_alarm(APP_ALARM, "app=pump,unit=2")

No call raises into the caller, and none takes longer than 200 ms: it returns False where the agent
did not take the request in time. The newest 100 of those are kept and tried again before the next
call's own request, as long as there is time; of one alarm only the last word is kept.

Not thread-safe: one client for each thread.
"""

import json
import os
import socket
import time
from typing import Any

SOCKET = "/run/roost/alarm.sock"
APP_ALARM = "750.801"  # the type for an application that has none of its own
CALL_S = 0.2  # of a whole call, retries included
LATER = {"rate", "busy", "starting", "storage"}  # refusals that pass
KEPT_MAX = 100  # requests that the agent has not taken
PACKET_BYTES_MAX = 4_096


class AlarmClient:
    """One connection to the agent, made when it is needed.

    Args:
        path: the socket; else $ROOST_ALARM_SOCKET, else /run/roost/alarm.sock.
    """

    def __init__(self, path: str | None = None) -> None:
        self.path = path or os.environ.get("ROOST_ALARM_SOCKET", SOCKET)
        self._sock: socket.socket | None = None
        self._kept: dict[str, dict[str, Any]] = {}
        self.refusal = ""  # of the last call: why the agent said no

    def raise_alarm(  # noqa: PLR0913 - an alarm has that many parts
        self,
        type: str,  # noqa: A002 - the word of the catalogue
        entity: str,
        severity: str,
        text: str = "",
        *,
        params: dict[str, Any] | None = None,
        ttl_s: float | None = None,
    ) -> bool:
        """Say that a condition is there; with ``ttl_s`` it must be said again in time."""
        request: dict[str, Any] = {"do": "raise", "type": type, "entity": entity}
        request |= {"severity": severity, "text": text, "params": params or {}}
        if ttl_s is not None:
            request["ttl_s"] = ttl_s
        return self._call(f"{type}|{entity}", request)

    def clear_alarm(self, type: str, entity: str) -> bool:  # noqa: A002 - as above
        """Say that a condition is over."""
        return self._call(f"{type}|{entity}", {"do": "clear", "type": type, "entity": entity})

    def clear_all(self, prefix: str) -> bool:
        """Say that everything within an entity is over, such as ``app=pump`` at a start."""
        return self._call(f"|{prefix}", {"do": "clear_all", "prefix": prefix})

    def log(self, text: str, entity: str, severity: str = "warning") -> bool:
        """Tell an event."""
        request = {"do": "log", "text": text, "entity": entity, "severity": severity}
        return self._call("", request)

    def ping(self) -> bool:
        """Return whether an agent answers."""
        return self._call("", {"do": "ping"})

    def close(self) -> None:
        """Close the connection; the next call makes another."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def request(self, request: dict[str, Any], seconds: float = CALL_S) -> dict[str, Any] | None:
        """Return the agent's answer to any request; None where there is none in time."""
        ends = time.monotonic() + seconds  # noqa: TID251 - this file stands alone
        try:
            return self._ask(request, ends)
        except (OSError, ValueError) as err:
            self.refusal = str(err)
            self.close()
            return None

    def _call(self, key: str, request: dict[str, Any]) -> bool:
        ends = time.monotonic() + CALL_S  # noqa: TID251 - this file stands alone
        self.refusal = _unfit(request)
        if self.refusal:
            return False
        if key:
            self._kept.pop(key, None)
        try:
            while self._kept:
                oldest = next(iter(self._kept))
                self._tell(self._kept[oldest], ends)
                del self._kept[oldest]
            answer = self._tell(request, ends)
        except (OSError, ValueError) as err:
            self.refusal = str(err)
            self.close()
            if key:
                self._keep(key, request)
            return False
        if not answer.get("ok"):
            self.refusal = str(answer.get("detail") or answer.get("error"))
        return bool(answer.get("ok"))

    def _keep(self, key: str, request: dict[str, Any]) -> None:
        self._kept[key] = request
        while len(self._kept) > KEPT_MAX:
            del self._kept[next(iter(self._kept))]

    def _tell(self, request: dict[str, Any], ends: float) -> dict[str, Any]:
        """Return the agent's answer to a request that it took, or refused for good.

        Raises:
            OSError: it did not answer in time, or wants to be asked later.
            ValueError: it, or the request, is no JSON.
        """
        answer = self._ask(request, ends)
        if answer.get("error") in LATER:
            raise ConnectionError(answer["error"])
        return answer

    def _ask(self, request: dict[str, Any], ends: float) -> dict[str, Any]:
        """Return the agent's answer.

        Raises:
            OSError: it did not come in time.
            ValueError: it, or the request, is no JSON.
        """
        raw = json.dumps(request).encode()
        if self._sock is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._sock = sock
            self._wait_at_most(ends)
            sock.connect(self.path)
        self._wait_at_most(ends)
        self._sock.send(raw)
        self._wait_at_most(ends)
        received = self._sock.recv(PACKET_BYTES_MAX)
        if not received:
            raise ConnectionError("the agent closed the connection")
        answer = json.loads(received)
        if not isinstance(answer, dict):
            raise ValueError("an answer that is no object")  # noqa: TRY004 - as json's own
        return answer

    def _wait_at_most(self, ends: float) -> None:
        left = ends - time.monotonic()  # noqa: TID251 - this file stands alone
        if left <= 0:
            raise TimeoutError("the call's time is up")
        assert self._sock is not None  # noqa: S101 - made just before
        self._sock.settimeout(left)


def _unfit(request: dict[str, Any]) -> str:
    """Return why a request is none; trying it again would change nothing."""
    try:
        size = len(json.dumps(request).encode())
    except (TypeError, ValueError, RecursionError) as err:
        return f"no JSON: {err}"
    return f"{size} bytes: bound {PACKET_BYTES_MAX}" if size > PACKET_BYTES_MAX else ""
