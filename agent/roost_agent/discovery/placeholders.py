"""Firmware text that says nothing ("To Be Filled By O.E.M.") is null; its raw text is kept.

Only whole values count: a product may well be called "Default Gateway 3000".
"""

import re
from typing import Final

from roost_agent.discovery.section import ABSENT, PLACEHOLDER, Missing, Section

_PHRASES: Final = frozenset(
    {
        "0123456789",
        "0123456789abcdef",
        "03000200-0400-0500-0006-000700080009",  # the uuid of one vendor's sample firmware
        "123456789",
        "1234567890",
        "12345678901234567890",
        "[empty]",
        "<out of spec>",
        "asset tag",
        "asset-1234567890",
        "bad index",
        "base board serial number",
        "board serial number",
        "board version",
        "chassis asset tag",
        "chassis manufacture",
        "chassis manufacturer",
        "chassis serial number",
        "chassis version",
        "default",
        "default string",
        "empty",
        "fill by oem",
        "filled by oem",
        "invalid",
        "module serial number",
        "n/a",
        "na",
        "no asset information",
        "no asset tag",
        "no dimm",
        "no module installed",
        "none",
        "not applicable",
        "not available",
        "not defined",
        "not installed",
        "not present",
        "not provided",
        "not set",
        "not settable",
        "not specified",
        "null",
        "o.e.m.",
        "oem",
        "part number",
        "product name",
        "serial number",
        "sku",
        "system manufacturer",
        "system name",
        "system product name",
        "system serial number",
        "system sku",
        "system sku number",
        "system uuid",
        "system version",
        "tbd",
        "to be filled",
        "type1productconfigid",
        "undefined",
        "unknown",
        "unspecified",
        "xxxxxx",
    }
)
_PATTERNS: Final = re.compile(
    r"""to\ be\ filled\ by.*              # with and without "O.E.M.", any punctuation
    | \$?\(?default[_ ]string\)?
    | (?:dimm|sodimm|a\d_|array\d+_)?(?:manufacturer|partnum|partnumber|sernum|serialnumber
        |assettag|assettagnum|serial|asset\ tag)\d{0,2}    # Manufacturer0, A1_SerNum0
    | [-._*?=\s]+
    | (?:0x)?([0fx])\1{3,}                # 00000000, FFFFFFFF, xxxx
    """,
    re.VERBOSE,
)


def is_placeholder(text: str) -> bool:
    """Whether a firmware string, stripped, says nothing."""
    plain = " ".join(text.lower().split())
    return (
        plain in _PHRASES
        or _PATTERNS.fullmatch(plain) is not None
        or _PATTERNS.fullmatch(plain.replace("-", "")) is not None  # a uuid of all 0 or F
    )


def put_text(section: Section, item: str, name: str, text: str | Missing) -> None:
    """Set a firmware string; a placeholder is null and its text goes to ``<name>_raw``."""
    if isinstance(text, Missing):
        section.put(item, name, text)
    elif not text.strip():
        section.put(item, name, Missing(ABSENT))
    elif is_placeholder(text):
        section.put(item, name, Missing(PLACEHOLDER))
        section.put(item, f"{name}_raw", text.strip())
    else:
        section.put(item, name, text.strip())
