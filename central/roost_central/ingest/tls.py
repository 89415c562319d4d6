"""TLS to a broker: our certificate, its authority, and the name that it must have.

The name is the broker's, whatever address is dialled: no entry in a hosts file or a resolver
decides whom we speak to. Files are read at each connection, so that a renewed certificate counts.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class BrokerTls:
    """How one broker is spoken to.

    Attributes:
        ca: PEM, whose brokers are believed.
        cert: PEM, ours, with its issuer behind it.
        key: PEM, of ``cert``.
        server_name: what the broker's certificate must name.
    """

    ca: Path
    cert: Path
    key: Path
    server_name: str

    def context(self) -> ssl.SSLContext:
        """Return what to connect with.

        Raises:
            OSError: a file cannot be read, or key and certificate do not belong together.
        """
        context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(self.ca)
        context.load_cert_chain(self.cert, self.key)
        context.server_name = self.server_name
        return context


class _NamedContext(ssl.SSLContext):
    server_name: str

    def wrap_bio(self, *said: Any, **more: Any) -> ssl.SSLObject:  # noqa: ANN401 - passed on
        """Check for the broker's name where the event loop passes the address."""
        return super().wrap_bio(*said, **{**more, "server_hostname": self.server_name})
