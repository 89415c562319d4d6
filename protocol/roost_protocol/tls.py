"""TLS to a server that is known by a name of its fleet, whatever address was dialled.

No entry in a hosts file or a resolver decides whom we speak to.
"""

import ssl
from pathlib import Path
from typing import Any, Final

NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME (x509_vfy.h): dates do not matter


class _Closing(ssl.SSLSocket):
    """Closes when its handshake fails: paho forgets the socket then, and leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        """See ssl.SSLSocket."""
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise


class NamedContext(ssl.SSLContext):
    """Checks for a name of its own where a library passes the address."""

    sslsocket_class = _Closing
    server_name: str | None = None

    @classmethod
    def of(cls, name: str | None, ca: Path) -> "NamedContext":
        """Return the TLS of a client that believes ``ca`` (PEM), and it only of ``name``.

        Without a name it is the address that was dialled.

        Raises:
            OSError: the file cannot be read, or holds no certificate.
        """
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(ca)
        context.server_name = name
        return context

    def wrap_bio(self, *said: Any, **more: Any) -> ssl.SSLObject:  # noqa: ANN401 - passed on
        """See ssl.SSLContext; asyncio uses this one."""
        return super().wrap_bio(*said, **self._named(more))

    def wrap_socket(self, *said: Any, **more: Any) -> ssl.SSLSocket:  # noqa: ANN401 - passed on
        """See ssl.SSLContext; paho uses this one."""
        return super().wrap_socket(*said, **self._named(more))

    def _named(self, more: dict[str, Any]) -> dict[str, Any]:
        return more if self.server_name is None else more | {"server_hostname": self.server_name}
