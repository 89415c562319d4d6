"""``[[enrol.maker]]``, ``[[enrol.rule]]``: whose factories are believed, which boxes go where.

Reviewed configuration: it is read when the centre starts, and no API changes it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from roost_central.config_section import Section
from roost_central.enrol.factory import read_authorities
from roost_central.enrol.rules import Rule
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import node_id

MAKERS_MAX: Final = 32
RULES_MAX: Final = 500  # the first that fits counts: more belong into lists
SERIALS_MAX: Final = 100_000  # of one list
SERIALS_BYTES_MAX: Final = 16 << 20
_PATTERN: Final = re.compile(r"[^\[\]\x00-\x1f\x7f]{1,128}")  # * and ?, no sets


@dataclass(frozen=True, slots=True)
class Maker:
    """A maker whose factory certificates are believed."""

    name: str
    authorities: tuple[x509.Certificate, ...]


def read_makers(section: Section) -> tuple[Maker, ...]:
    """Return the makers of ``[enrol]``."""
    tables = section.sections("maker")
    if len(tables) > MAKERS_MAX:
        section.fault("maker", f"there are {len(tables)}, bound {MAKERS_MAX}")
    found = [_maker(each) for each in tables[:MAKERS_MAX]]
    if len({each.name for each in found}) != len(found):
        section.fault("maker", "two have one name")
    return tuple(found)


def read_rules(section: Section, makers: tuple[Maker, ...]) -> tuple[Rule, ...]:
    """Return the rules of ``[enrol]``, in their order."""
    tables = section.sections("rule")
    if len(tables) > RULES_MAX:
        section.fault("rule", f"there are {len(tables)}, bound {RULES_MAX}")
    names = {each.name for each in makers}
    found = [_rule(each, names) for each in tables[:RULES_MAX]]
    if len({each.name for each in found}) != len(found):
        section.fault("rule", "two have one name: the audit log tells them by it")
    return tuple(found)


def _maker(section: Section) -> Maker:
    section.only("name", "ca_file")
    file = section.needed("ca_file")
    try:
        return Maker(section.name(), tuple(read_authorities(Path(file))) if file else ())
    except OSError as err:
        section.fault("ca_file", f"{file!r}: {err.strerror}")
    except (ValueError, x509.ExtensionNotFound) as err:
        section.fault("ca_file", f"{file!r}: no authorities in PEM: {err}")
    return Maker("", ())


def _rule(section: Section, makers: set[str]) -> Rule:
    section.only(
        "name", "site", "node", "broker", "maker", "serial", "serials_file", "vendor", "product",
        "firmware_min",
    )  # fmt: skip
    site, node = section.needed("site"), section.get("node", "")
    try:
        if site:
            node_id(site, node or "n")
    except ProtocolError as err:
        section.fault("node" if node else "site", f"{err}")
    maker = section.get("maker", "")
    if maker and maker not in makers:
        section.fault("maker", f"{maker!r} is no [[enrol.maker]]: {', '.join(sorted(makers))}")
    patterns = {key: section.get(key, "") for key in ("serial", "vendor", "product")}
    for key, pattern in patterns.items():
        if pattern and not _PATTERN.fullmatch(pattern):
            section.fault(key, f"{pattern[:64]!r}: 1 to 128 characters, * and ? for others, no [ ]")
    serials = _serials(section)
    firmware_min = section.get("firmware_min", "")
    if not any([*patterns.values(), serials is not None, firmware_min]):
        section.fault("serial", 'is missing, and no other key says which boxes: "*" is any')
    return Rule(
        name=section.name(),
        site=site,
        node=node,
        broker=section.get("broker", False),
        maker=maker,
        serials=serials,
        firmware_min=firmware_min,
        **patterns,
    )


def _serials(section: Section) -> frozenset[str] | None:
    """Return a list of serial numbers: one a line, # begins a remark."""
    name = section.get("serials_file", "")
    if not name:
        return None
    try:
        with Path(name).open("rb") as stream:
            raw = stream.read(SERIALS_BYTES_MAX + 1)
        lines = (line.partition("#")[0].strip().upper() for line in raw.decode().splitlines())
    except OSError as err:
        section.fault("serials_file", f"{name!r}: {err.strerror}")
        return frozenset()
    except UnicodeDecodeError:
        section.fault("serials_file", f"{name!r}: not UTF-8")
        return frozenset()
    found = frozenset(line for line in lines if line)
    if not 1 <= len(found) <= SERIALS_MAX or len(raw) > SERIALS_BYTES_MAX:
        section.fault(
            "serials_file", f"{name!r}: {len(found)} numbers, 1 to {SERIALS_MAX} are taken"
        )
    return found
