"""``[[enrol.maker]]``, ``tpm_maker``, ``rule``: who vouches for boxes, and which go where.

Reviewed configuration: it is read when the centre starts, and no API changes it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from roost_central.config_section import Section
from roost_central.enrol.chain import read_authorities
from roost_central.enrol.revoked_boxes import RevokedBoxes
from roost_central.enrol.rules import Rule
from roost_central.fleet.labels import LABELS_MAX
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import node_id

MAKERS_MAX: Final = 32
RULES_MAX: Final = 500  # the first that fits counts: more belong into lists
SERIALS_MAX: Final = 100_000  # of one list
SERIALS_BYTES_MAX: Final = 16 << 20
_PATTERN: Final = re.compile(r"[^\[\]\x00-\x1f\x7f]{1,128}")  # * and ?, no sets
_LABEL_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,31}")
_VALUE: Final = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


@dataclass(frozen=True, slots=True)
class Maker:
    """A maker whose factory or endorsement certificates are believed."""

    name: str
    authorities: tuple[x509.Certificate, ...]
    revoked: RevokedBoxes | None = None


def read_makers(section: Section, key: str = "maker") -> tuple[Maker, ...]:
    """Return the makers of ``[enrol]``: of boxes, or of TPMs."""
    tables = section.sections(key)
    if len(tables) > MAKERS_MAX:
        section.fault(key, f"there are {len(tables)}, bound {MAKERS_MAX}")
    found = [_maker(each) for each in tables[:MAKERS_MAX]]
    if len({each.name for each in found}) != len(found):
        section.fault(key, "two have one name")
    return tuple(found)


def read_rules(
    section: Section, makers: tuple[Maker, ...], tpm_makers: tuple[Maker, ...] = ()
) -> tuple[Rule, ...]:
    """Return the rules of ``[enrol]``, in their order."""
    tables = section.sections("rule")
    if len(tables) > RULES_MAX:
        section.fault("rule", f"there are {len(tables)}, bound {RULES_MAX}")
    names = {
        "maker": {each.name for each in makers},
        "tpm": {each.name for each in tpm_makers},
    }
    found = [_rule(each, names) for each in tables[:RULES_MAX]]
    if len({each.name for each in found}) != len(found):
        section.fault("rule", "two have one name: the audit log tells them by it")
    return tuple(found)


def _maker(section: Section) -> Maker:
    section.only("name", "ca_file", "crl_file")
    name, file, lists = section.name(), section.needed("ca_file"), section.get("crl_file", "")
    revoked = _revoked(section, name, lists) if lists else None
    try:
        return Maker(name, tuple(read_authorities(Path(file))) if file else (), revoked)
    except OSError as err:
        section.fault("ca_file", f"{file!r}: {err.strerror}")
    except (ValueError, x509.ExtensionNotFound) as err:
        section.fault("ca_file", f"{file!r}: no authorities in PEM: {err}")
    return Maker("", ())


def _revoked(section: Section, name: str, file: str) -> RevokedBoxes | None:
    try:
        return RevokedBoxes(name, Path(file))
    except OSError as err:
        section.fault("crl_file", f"{file!r}: {err.strerror}")
    except ValueError as err:
        section.fault("crl_file", f"{file!r}: no lists of revoked certificates: {err}")
    return None


def _rule(section: Section, makers: Mapping[str, set[str]]) -> Rule:
    section.only(
        "name", "site", "node", "broker", "maker", "tpm", "serial", "serials_file", "vendor",
        "product", "firmware_min", "labels",
    )  # fmt: skip
    site, node = section.needed("site"), section.get("node", "")
    try:
        if site:
            node_id(site, node or "n")
    except ProtocolError as err:
        section.fault("node" if node else "site", f"{err}")
    vouching = {key: _maker_of(section, key, known) for key, known in makers.items()}
    if all(vouching.values()):
        section.fault("tpm", "and maker are two ways to vouch for a box: write a rule for each")
    patterns = {key: section.get(key, "") for key in ("serial", "vendor", "product")}
    for key, pattern in patterns.items():
        if pattern and not _PATTERN.fullmatch(pattern):
            section.fault(key, f"{pattern[:64]!r}: 1 to 128 characters, * and ? for others, no [ ]")
    serials = _serials(section)
    firmware_min = section.get("firmware_min", "")
    if not any([*patterns.values(), serials is not None, firmware_min]):
        section.fault("serial", 'is missing, and no other key says which boxes: "*" is any')
    elif vouching["tpm"] and not (patterns["serial"] or serials):
        told = "is missing: all else is the box's own word, and any TPM of that maker would do"
        section.fault("serial", f"{told}; serials_file has those that are yours")
    return Rule(
        name=section.name(),
        site=site,
        node=node,
        broker=section.get("broker", False),
        serials=serials,
        firmware_min=firmware_min,
        labels=_labels(section),
        **vouching,
        **patterns,
    )


def _maker_of(section: Section, key: str, known: set[str]) -> str:
    name = section.get(key, "")
    if name and name not in known:
        table = "maker" if key == "maker" else "tpm_maker"
        section.fault(key, f"{name!r} is no [[enrol.{table}]]: {', '.join(sorted(known))}")
    return name


def _labels(section: Section) -> tuple[tuple[str, str], ...]:
    given: dict[str, object] = section.get("labels", {})
    if len(given) > LABELS_MAX:
        section.fault("labels", f"there are {len(given)}, bound {LABELS_MAX}")
    for key, value in given.items():
        if not (_LABEL_KEY.fullmatch(key) and isinstance(value, str) and _VALUE.fullmatch(value)):
            what = f"{key[:64]!r}: 1 to 31 of A-Z a-z 0-9 _ -, and a text of 1 to 128 characters"
            section.fault("labels", what)
    return tuple(sorted((key, str(value)) for key, value in given.items()))


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
