"""The listeners that certificates are shown to: each says whether it lets one in."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from aiohttp import web
from ca import Credentials, Pki
from loopback_ports import free_port
from program import Program
from waiting import wait_until

from roost_central.api.listener import listening
from roost_central.brokers.files import write_private
from roost_central.brokers.fleet_files import BrokerFiles, configuration, rules
from roost_central.brokers.mosquitto import mosquitto, user_line
from roost_central.ca.crl import crl, pem
from roost_protocol.certificate import Holder, Kind
from roost_protocol.errors import ProtocolError

SERVER = Holder(Kind.SERVER, "b1")
SERVER_NAME = "b1.svc.edge.example"

CONNECT = bytes.fromhex("100d 0004 4d515454 04 02 003c 0001 78")  # MQTT 3.1.1, client id x
CONNACK = bytes.fromhex("2002 0000")  # accepted


class Listener(Protocol):
    """Lets a certificate in, or does not."""

    name: str

    def takes(self, shown: Credentials) -> bool:
        """Show a certificate; return whether it was let in."""


class OurVerifier:
    """``ca/verify.py`` alone."""

    name = "verifier"

    def __init__(self, pki: Pki, revoked: set[int]) -> None:
        self._verifier = pki.verifier()
        self._revoked = {f"{serial:x}" for serial in revoked}

    def takes(self, shown: Credentials) -> bool:
        """See Listener."""
        return self.believes(shown.der)

    def believes(self, der: bytes) -> bool:
        """Return whether a certificate is a node's."""
        try:
            self._verifier.peer(der, Kind.NODE, datetime.now(UTC), revoked=self._revoked)
        except ProtocolError:
            return False
        return True


class Handshake:
    """OpenSSL, by Python's ssl, in memory: a server that wants a certificate of the fleet."""

    name = "openssl"

    def __init__(self, pki: Pki, revoked: set[int]) -> None:
        server = pki.issue(SERVER)
        self._pki = pki
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(server.chain_file, server.key_file)
        self._context.load_verify_locations(pki.root_file)
        self._context.load_verify_locations(lists(pki, revoked))
        self._context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        self._context.verify_mode = ssl.CERT_REQUIRED

    def takes(self, shown: Credentials) -> bool:
        """See Listener."""
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(self._pki.root_file)
        client.load_cert_chain(shown.chain_file, shown.key_file)
        return shaken(self._context, client, SERVER_NAME)


class FleetBroker(Program):
    """Mosquitto with the configuration that the product writes."""

    name = "mosquitto"

    def __init__(self, pki: Pki, revoked: set[int], *, more_rules: str = "") -> None:
        folder = pki.folder / f"broker-{len(revoked)}-{free_port()}"
        folder.mkdir()
        super().__init__(folder / "mosquitto.log")
        self.pki, self.root, self.port = pki, pki.root_file, free_port()
        server = pki.issue(SERVER)
        files = BrokerFiles(
            pki.root_file, server.chain_file, server.key_file, lists(pki, revoked), folder / "acl"
        )
        write_private(files.acl, rules(()) + more_rules)
        self._config = folder / "mosquitto.conf"
        text = configuration(
            files, host="127.0.0.1", port=self.port, connections_max=100, user=user_line()
        )
        write_private(self._config, text)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run while the context lasts."""
        self._launch(mosquitto() or "mosquitto", "-c", self._config)
        try:
            wait_until(self._answers, "mosquitto")
            yield
        finally:
            self.kill()

    def takes(self, shown: Credentials) -> bool:
        """See Listener; TLS 1.3 tells a client of its refusal after the handshake."""
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(self.root)
        client.load_cert_chain(shown.chain_file, shown.key_file)
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            try:
                with client.wrap_socket(sock, server_hostname=SERVER_NAME) as stream:
                    stream.sendall(CONNECT)
                    return stream.recv(len(CONNACK)) == CONNACK
            except (ssl.SSLError, ConnectionError):
                return False

    def _answers(self) -> bool:
        assert self.is_running(), self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class OurHttps:
    """The API's listener with TLS, and our verifier behind it."""

    name = "https"

    def __init__(self, pki: Pki, revoked: set[int]) -> None:
        self._pki = pki
        self._verifier = OurVerifier(pki, revoked)
        server = pki.issue(SERVER)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(server.chain_file, server.key_file)
        self._context.load_verify_locations(pki.root_file)
        self._context.verify_mode = ssl.CERT_REQUIRED

    def takes(self, shown: Credentials) -> bool:
        """See Listener."""
        return asyncio.run(self._asked(shown))

    async def _asked(self, shown: Credentials) -> bool:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(self._pki.root_file)
        client.load_cert_chain(shown.chain_file, shown.key_file)
        app = web.Application()
        app.router.add_get("/", self._answer)
        async with listening(app, "127.0.0.1", 0, tls=self._context) as port:
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=client, server_hostname=SERVER_NAME
                )
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                status = await reader.readline()
                writer.close()
            except OSError:
                return False
        return b" 200 " in status

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        der = request.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return web.Response(status=200 if self._verifier.believes(der) else 403)


def lists(pki: Pki, revoked: set[int]) -> Path:
    """Write what is revoked, for the issuers that are live now."""
    now = datetime.now(UTC)
    issuing = pki.ring().issuing
    each = [
        crl(key.issuer, dict.fromkeys(revoked, 0), now) for keys in issuing.values() for key in keys
    ]
    file = pki.folder / f"crl-{len(revoked)}-{len(each)}.pem"
    file.write_text(pem(*each))
    return file


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    """Shake hands in memory; return whether both sides agreed."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    agreed = [False, False]
    for _ in range(10):
        for at, side in enumerate(sides):
            try:
                side.do_handshake()
                agreed[at] = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return False
    return all(agreed)
