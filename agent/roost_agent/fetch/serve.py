"""``roost-agent serve``: lends a site's members the blobs of a release, in a child of the agent.

Only whole blobs, by their digest, to boxes of the LAN that are members of the site, READERS_MAX at
a time. Whoever takes them checks them: a neighbour is believed no more than any mirror, and nothing
but ``blobs/`` of the mirror can be asked for (updates.md 8).
"""

import os
import re
import socket
import ssl
from collections.abc import Collection
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final

from roost_agent.enrolled import BROKER_CERTIFICATE, BROKER_KEY, LAN_CA, STATE_DIR, load
from roost_agent.errors import AgentError, ConfigError
from roost_agent.fetch.places import MIRROR
from roost_agent.ha.lan import common_name
from roost_agent.lending import CHUNK_BYTES, Lending, LendingServer
from roost_agent.options import options
from roost_agent.trust.folder import open_below
from roost_agent.trust.https import PREFIX

HELP: Final = """\
usage: roost-agent serve --port N --address ADDRESS --members NODE,... [--state-dir DIR]

Lend members of the site what was fetched of releases, until ended; the agent does it.

  --port N           to listen on
  --address ADDRESS  of this node in the site
  --members NODE,... who is lent anything
  --state-dir DIR    of the agent  (/var/lib/roost)
"""
WAITING_MAX: Final = 32  # connections that are not served yet
TALK_S: Final = 20.0  # for a handshake, and for each piece that nobody takes
_BLOB: Final = re.compile(re.escape(PREFIX) + r"(blobs/[0-9a-f]{2}/[0-9a-f]{64})")
_RANGE: Final = re.compile(r"bytes=([0-9]{1,15})-")
_USUAL: Final = {"state-dir": STATE_DIR, "address": "", "port": "", "members": ""}


def run(argv: list[str]) -> int:
    """Serve until ended."""
    given = options(argv, _USUAL, HELP)
    state_dir = Path(given["state-dir"])
    known = load(state_dir)
    if known is None or not given["port"].isdecimal():
        raise ConfigError([f"serve: {state_dir} has no identity, or --port is none"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(known.folder / LAN_CA)
        context.load_cert_chain(known.folder / BROKER_CERTIFICATE, known.folder / BROKER_KEY)
        where = (given["address"], int(given["port"]))
        members = frozenset(given["members"].split(","))
        server = Lender(where, context, members, state_dir / MIRROR)
    except (ssl.SSLError, OSError) as err:
        raise AgentError(f"serve: {given['address']}:{given['port']}: {err}") from err
    with server:
        server.serve_forever()
    return 0


class Lender(LendingServer):
    """The server.

    Args:
        where: address and port.
        context: of TLS; it asks for a certificate.
        members: the CNs of boxes that are let in.
        mirror: the folder of the blobs.
    """

    request_queue_size = WAITING_MAX

    def __init__(
        self, where: tuple[str, int], context: ssl.SSLContext, members: Collection[str],
        mirror: Path,
    ) -> None:  # fmt: skip
        self.mirror = mirror
        self._context = context
        self._members = members
        super().__init__(where, _Asked)

    def finish_request(self, request: object, client_address: object) -> None:
        """Shake hands in the thread of the connection, so that nobody's silence holds others up."""
        assert isinstance(request, socket.socket)  # noqa: S101 - of a TCP server
        request.settimeout(TALK_S)
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as talk:
            if common_name(talk) in self._members:
                _Asked(talk, client_address, self)


class _Asked(Lending):
    timeout = TALK_S
    server: Lender

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        """Send a blob from an offset on."""
        match = _BLOB.fullmatch(self.path)
        if match is None:
            self.refuse(HTTPStatus.NOT_FOUND)
            return
        with self.place() as is_served:
            if is_served:
                self._lend(match[1])

    def _lend(self, name: str) -> None:
        try:
            handle = open_below(self.server.mirror, name)
        except (OSError, ValueError):
            self.refuse(HTTPStatus.NOT_FOUND)
        else:
            with os.fdopen(handle, "rb") as stream:
                self._send(stream.fileno())

    def _send(self, handle: int) -> None:
        size = os.fstat(handle).st_size
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        offset = int(asked[1]) if asked else 0
        if offset > size:
            self.refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        self.send_response(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK)
        self.send_header("Content-Length", str(size - offset))
        self.end_headers()
        os.lseek(handle, offset, os.SEEK_SET)
        while chunk := os.read(handle, CHUNK_BYTES):
            self.wfile.write(chunk)
