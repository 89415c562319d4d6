"""Gives one file to a board controller over HTTP, for its own life only; a child of the agent.

``python -m roost_agent.reinstall.lend FILE ADDRESS PATH SECONDS``: it prints its port, and a line
more once somebody has taken bytes of it. It ends with its standard input, which the agent holds
open, and after SECONDS. Boards know no certificate of ours, so it is plain: what keeps strangers
out is PATH, which nobody can guess; what an image is worth was judged before it lay here.

Invariants: no other file can be asked for; READERS_MAX at a time (lending.py); a reader that takes
nothing for TALK_S is hung up on.
"""

import hmac
import os
import re
import select
import sys
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final

from roost_agent.lending import CHUNK_BYTES, Lending, LendingServer
from roost_agent.ports import SystemClock

WAITING_MAX: Final = 16  # connections that are not served yet
TALK_S: Final = 60.0  # a board that installs may rest
LOOK_S: Final = 0.5
WORDS: Final = 4
_RANGE: Final = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")


class Lender(LendingServer):
    """The server.

    Attributes:
        sent: bytes of the file, to whomever.

    Args:
        file: what is lent.
        where: address, and a port or 0.
        path: by which it is asked for.
    """

    request_queue_size = WAITING_MAX

    def __init__(self, file: Path, where: tuple[str, int], path: str) -> None:
        self.file, self.path = file, path
        self.size = file.stat().st_size
        self.sent = 0
        super().__init__(where, _Asked)


class _Asked(Lending):
    timeout = TALK_S
    server: Lender

    def do_HEAD(self) -> None:  # noqa: N802 - as do_GET
        """Say how long it is."""
        if self._is_known():
            self._begin(0, self.server.size - 1, is_part=False)

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        """Send the file, or a part of it."""
        if not self._is_known():
            return
        with self.place() as is_served:
            if is_served:
                self._send()

    def _is_known(self) -> bool:
        if hmac.compare_digest(self.path.encode(), self.server.path.encode()):
            return True
        self.refuse(HTTPStatus.NOT_FOUND)
        return False

    def _send(self) -> None:
        last = self.server.size - 1
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        if asked and asked[2]:
            last = min(last, int(asked[2]))
        if first > last:
            self.refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        self._begin(first, last, is_part=asked is not None)
        left = last - first + 1
        with self.server.file.open("rb") as stream:
            stream.seek(first)
            while left and (chunk := stream.read(min(CHUNK_BYTES, left))):
                self.wfile.write(chunk)
                self.server.sent += len(chunk)
                left -= len(chunk)

    def _begin(self, first: int, last: int, *, is_part: bool) -> None:
        self.send_response(HTTPStatus.PARTIAL_CONTENT if is_part else HTTPStatus.OK)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if is_part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{self.server.size}")
        self.end_headers()


def main(argv: Sequence[str]) -> int:
    """Lend until the agent is gone or the time is up."""
    if len(argv) != WORDS:
        sys.stderr.write("lend: FILE ADDRESS PATH SECONDS\n")
        return 2
    file, address, path, seconds = argv
    clock = SystemClock()
    until_ms = clock.mono_ms() + round(float(seconds) * 1_000)
    try:
        server = Lender(Path(file), (address, 0), path)
    except OSError as err:
        sys.stderr.write(f"lend: {address}: {err.strerror}\n")
        return 1
    server.timeout = LOOK_S
    _say(server.server_port)
    is_told = False
    while clock.mono_ms() < until_ms and not _is_alone():
        server.handle_request()
        if server.sent and not is_told:
            is_told = True
            _say(server.sent)
    return 0


def _is_alone() -> bool:
    """Say whether the agent is gone: it says nothing on standard input, and holds it open."""
    return bool(select.select([0], [], [], 0)[0]) and not os.read(0, 1)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
