"""What the ``ssl`` module does not name of OpenSSL."""

from typing import Final

NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME (x509_vfy.h): dates do not matter
