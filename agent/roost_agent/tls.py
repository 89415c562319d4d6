"""What the ``ssl`` module lacks: a name of OpenSSL's, and a peer known by a name of its fleet."""

import ssl
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
    """Checks for a name of its own, whatever host paho dials and passes: an address will do."""

    sslsocket_class = _Closing
    server_name: str | None = None

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:  # noqa: ANN401 - its signature
        """See ssl.SSLContext."""
        if self.server_name is not None:
            options["server_hostname"] = self.server_name
        return super().wrap_socket(*args, **options)
