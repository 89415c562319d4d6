"""TLS to a broker: our certificate, its authority, and the name that it must have.

Files are read at each connection, so that a renewed certificate counts.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from roost_protocol.tls import NamedContext


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
        context = NamedContext.of(self.server_name, self.ca)
        context.load_cert_chain(self.cert, self.key)
        return context
