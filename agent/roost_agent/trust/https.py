"""A centre as a source: HTTPS with the node's certificate, to the fleet's own root and name.

Where it is and whose it is comes from the node's identity. Dates of certificates are not checked,
as at enrolment (enrol/centre.py): what is fetched is believed by signatures alone.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from roost_agent.enrolled import NODE_CERTIFICATE, NODE_KEY, ROOT, Enrolled
from roost_agent.errors import AgentError
from roost_agent.ports import Clock
from roost_agent.trust.source import AbsentError, SourceError, steady
from roost_protocol.tls import NO_CHECK_TIME

PREFIX: Final = "/api/v1/releases/"
TALK_S: Final = 20.0  # for each step of a connection
CHUNK_BYTES: Final = 64 << 10
REFUSAL_BYTES_MAX: Final = 4_096


class HttpsSource:
    """One listener of a centre; one file at a time, over a connection that is kept.

    Args:
        address: host and port.
        context: of TLS, with the root to believe and the certificate to show.
        server_name: the name that the certificate there must have.
        clock: by which who is too slow is left.
    """

    def __init__(
        self, address: tuple[str, int], context: ssl.SSLContext, server_name: str, clock: Clock
    ) -> None:
        self.name = f"https://{address[0]}:{address[1]}"
        self._address = address
        self._context = context
        self._server_name = server_name
        self._clock = clock
        self._link: http.client.HTTPConnection | None = None

    def open(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """See Source."""
        link, self._link = self._link or self._linked(), None
        is_whole = False
        try:
            response = self._asked(link, path, offset)
            yield from steady(self._chunks(response), self._clock, self.name)
            is_whole = not response.will_close
        except (OSError, http.client.HTTPException) as err:
            why = str(err) or type(err).__name__
            raise SourceError(f"{self.name}: {why}") from err
        finally:
            if is_whole:
                self._link = link
            else:
                link.close()

    def close(self) -> None:
        """Hang up."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _asked(
        self, link: http.client.HTTPConnection, path: str, offset: int
    ) -> http.client.HTTPResponse:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        link.request("GET", PREFIX + quote(path), headers=headers)
        response = link.getresponse()
        if response.status == http.client.NOT_FOUND:
            raise AbsentError(f"{self.name}: it has no {path}")
        wanted = http.client.PARTIAL_CONTENT if offset else http.client.OK
        if response.status != wanted:
            told = response.read(REFUSAL_BYTES_MAX).decode("utf-8", "replace")
            raise SourceError(f"{self.name}: {path}: {response.status} {told[:200]}")
        return response

    def _chunks(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        while chunk := response.read1(CHUNK_BYTES):
            yield chunk
        if response.length:
            raise SourceError(f"{self.name}: it broke off, {response.length} bytes are missing")
        response.read()  # nothing is left; so the connection knows that it may be asked again

    def _linked(self) -> http.client.HTTPConnection:
        link = http.client.HTTPConnection(*self._address, timeout=TALK_S)
        try:
            plain = socket.create_connection(self._address, timeout=TALK_S)
            try:
                link.sock = self._context.wrap_socket(plain, server_hostname=self._server_name)
            except BaseException:
                plain.close()
                raise
        except OSError as err:
            raise SourceError(f"{self.name}: {err.strerror or err}") from err
        return link


def of_centre(known: Enrolled, clock: Clock, url: str = "") -> HttpsSource:
    """Return the centre of a node as a source.

    Args:
        known: the node's identity.
        clock: see HttpsSource.
        url: ``https://HOST[:PORT]`` of another address of it; empty: where the node joined.

    Raises:
        AgentError: the identity or the address makes no sense.
    """
    from roost_agent.enrol.centre import Address  # noqa: PLC0415 - with what joins, once

    address = Address.parse(url or known.facts.centre)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= NO_CHECK_TIME
    try:
        context.load_verify_locations(known.folder / ROOT)
        context.load_cert_chain(known.folder / NODE_CERTIFICATE, known.folder / NODE_KEY)
    except (ssl.SSLError, OSError) as err:
        raise AgentError(f"{known.folder}: this identity cannot be shown: {err}") from err
    name = f"enrol.svc.{known.facts.fleet_domain}"
    return HttpsSource((address.host, address.port), context, name, clock)
