"""The validity of X.509 certificates in a PEM file, read without a library for it.

Only the way to the two times is followed (RFC 5280, 4.1): Certificate, TBSCertificate, version,
serialNumber, signature, issuer, validity. Nothing is verified: whoever uses the certificate does.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

CERTIFICATES_MAX: Final = 32  # of one file
FILE_BYTES_MAX: Final = 256 * 1024
SEQUENCE: Final = 0x30
VERSION: Final = 0xA0
UTC_TIME: Final = 0x17
GENERAL_TIME: Final = 0x18
_PEM: Final = re.compile(
    "-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.*?)-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL
)
_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_LONG: Final = 0x80  # a length in that many bytes follows
_LENGTH_BYTES_MAX: Final = 4
_SKIPPED: Final = 3  # serial number, signature, issuer


def validities(pem: str) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each certificate, in ms of UTC.

    Raises:
        ValueError: one of them cannot be read.
    """
    for number, found in enumerate(_PEM.finditer(pem)):
        if number == CERTIFICATES_MAX:
            return
        try:
            der = base64.b64decode(found[1])
        except binascii.Error as err:
            raise ValueError(f"not base64: {err}") from err
        yield _validity(der)


def _validity(der: bytes) -> tuple[int, int]:
    _, certificate, _ = _element(der, SEQUENCE)
    _, tbs, _ = _element(certificate, SEQUENCE)
    tag, _, rest = _element(tbs)
    left = rest if tag == VERSION else tbs
    for _ in range(_SKIPPED):
        _, _, left = _element(left)
    _, validity, _ = _element(left, SEQUENCE)
    first, begin, rest = _element(validity)
    second, end, _ = _element(rest)
    return _time_ms(first, begin), _time_ms(second, end)


def _element(raw: bytes, wanted: int | None = None) -> tuple[int, bytes, bytes]:
    """Return tag, content and what follows."""
    if len(raw) < 2:  # noqa: PLR2004 - tag and length
        raise ValueError("cut short")
    tag, size, start = raw[0], raw[1], 2
    if size & _LONG:
        count = size & ~_LONG
        if not 1 <= count <= _LENGTH_BYTES_MAX:
            raise ValueError("a length that DER has not")
        start += count
        size = int.from_bytes(raw[2:start], "big")
    if wanted is not None and tag != wanted:
        raise ValueError(f"tag {tag:#x}, want {wanted:#x}")
    if start + size > len(raw):
        raise ValueError("cut short")
    return tag, raw[start : start + size], raw[start + size :]


def _time_ms(tag: int, raw: bytes) -> int:
    text = raw.decode("ascii", "replace")
    if tag == UTC_TIME:  # two digits: 50 and above are of the last century (RFC 5280, 4.1.2.5.1)
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != GENERAL_TIME:
        raise ValueError(f"tag {tag:#x} is no time")
    found = _TIME.fullmatch(text)  # not strptime: 100 KiB of locales
    if found is None:
        raise ValueError(f"{text!r} is no time")
    year, month, day, hour, minute, second = map(int, found.groups())
    at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return round(at.timestamp() * 1000)
