"""Trusted Platform Modules, as far as sysfs tells without talking to the chip.

The endorsement key's certificate is in the chip's NV memory and left to root.
"""

import re
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section

_TPM_DIR: Final = "sys/class/tpm"
_TPM_NAME: Final = re.compile(r"tpm\d{1,3}", re.ASCII)
_BANK_NAME: Final = re.compile(r"pcr-([\w-]+)", re.ASCII)
_MANUFACTURER: Final = re.compile(r"^Manufacturer: 0x([0-9a-fA-F]{8})$", re.MULTILINE)


def tpm(reader: Reader) -> Section:
    """Return one item a chip."""
    names = reader.names(_TPM_DIR)
    if isinstance(names, Missing):
        return Section.empty(names.reason)
    section = Section()
    for name in filter(_TPM_NAME.fullmatch, names):
        at = f"{_TPM_DIR}/{name}"
        section.put_all(
            name,
            {
                "version": _version(reader, at),
                "vendor": _vendor(reader, at),
                "description": reader.text(f"{at}/device/description"),
                "banks": _banks(reader, at),
                "ek_cert_sha256": Missing(UNSUPPORTED),
            },
        )
    return section if section.items else Section.empty(ABSENT)


def _version(reader: Reader, at: str) -> str | Missing:
    """Return ``2.0`` or ``1.2``; before Linux 5.6 only a 1.2 chip shows its capabilities."""
    major = reader.count(f"{at}/tpm_version_major")
    if isinstance(major, Missing):
        return "1.2" if reader.exists(f"{at}/device/caps") else major
    return {1: "1.2", 2: "2.0"}.get(major, Missing(UNSUPPORTED))


def _vendor(reader: Reader, at: str) -> str | Missing:
    """Return the four letters of a 1.2 chip; a 2.0 chip tells them only on request."""
    text = reader.text(f"{at}/device/caps")
    if isinstance(text, Missing):
        return text
    match = _MANUFACTURER.search(text)
    if match is None:
        return Missing(UNSUPPORTED)
    return bytes.fromhex(match[1]).decode("ascii", "replace").strip("\0 ")


def _banks(reader: Reader, at: str) -> list[str] | Missing:
    """Return the hash algorithms that the chip keeps PCRs for (Linux 5.12 and later)."""
    names = reader.names(at)
    if isinstance(names, Missing):
        return names
    banks = [match[1] for name in names if (match := _BANK_NAME.fullmatch(name))]
    return banks or Missing(ABSENT)
