"""Installed packages, from the package manager's own database file.

The normal run reports how many there are and a digest of them (``package_set``), since the list
is long and rarely changes; the list itself (``package``) is read on demand. An RPM database is
not a text file and is left to ``rpm`` itself.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section

_DATABASE_BYTES_MAX: Final = 64 << 20  # 30,000 packages of Debian
_DIGEST_BYTES: Final = 8  # as the protocol's digests
_RPM_DIRS: Final = ("usr/lib/sysimage/rpm", "var/lib/rpm")


@dataclass(frozen=True, slots=True)
class _Format:
    """Where a package manager keeps its paragraphs, and how a line of each field begins."""

    manager: str
    path: str
    name: bytes
    version: bytes
    arch: bytes
    source: bytes
    status: bytes | None  # None: what is listed is installed


_FORMATS: Final = (
    _Format(
        manager="dpkg",
        path="var/lib/dpkg/status",
        name=b"Package: ",
        version=b"Version: ",
        arch=b"Architecture: ",
        source=b"Source: ",
        status=b"Status: ",
    ),
    _Format(
        manager="apk",
        path="lib/apk/db/installed",
        name=b"P:",
        version=b"V:",
        arch=b"A:",
        source=b"o:",
        status=None,
    ),
)


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One installed package; ``source`` is its own name where the database names none."""

    name: str
    arch: str
    version: str
    source: str


def package_set(reader: Reader) -> Section:
    """Return one item, the package manager: how many packages, and a digest of them."""
    layout = _layout(reader)
    if isinstance(layout, Missing):
        return Section.empty(layout.reason)
    packages = _read_all(reader, layout)
    section = Section()
    if isinstance(packages, Missing):
        section.put_all(layout.manager, {"count": packages, "digest": packages})
        return section
    lines = "".join(f"{p.name}:{p.arch}={p.version}\n" for p in sorted(packages))
    digest = hashlib.blake2b(lines.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    section.put_all(layout.manager, {"count": len(packages), "digest": digest})
    return section


def package(reader: Reader) -> Section:
    """Return one item a package, by name and architecture."""
    layout = _layout(reader)
    if isinstance(layout, Missing):
        return Section.empty(layout.reason)
    packages = _read_all(reader, layout)
    if isinstance(packages, Missing):
        return Section.empty(packages.reason)
    section = Section()
    for found in sorted(packages):
        section.put_all(
            f"{found.name}:{found.arch}", {"version": found.version, "source": found.source}
        )
    return section if section.items else Section.empty(ABSENT)


def _layout(reader: Reader) -> _Format | Missing:
    found = next((layout for layout in _FORMATS if reader.exists(layout.path)), None)
    if found is not None:
        return found
    has_rpm = any(reader.exists(path) for path in _RPM_DIRS)
    return Missing(UNSUPPORTED if has_rpm else ABSENT)


def _read_all(reader: Reader, layout: _Format) -> list[Package] | Missing:
    """Return every installed package; half a list would look like packages removed."""
    packages = []
    for found in _read(reader, layout):
        if isinstance(found, Missing):
            return found
        packages.append(found)
    return packages


def _read(reader: Reader, layout: _Format) -> Iterator[Package | Missing]:
    for paragraph in reader.paragraphs(layout.path, _DATABASE_BYTES_MAX):
        if isinstance(paragraph, Missing):
            yield paragraph
            return
        found = _parse(paragraph, layout)
        if found is not None:
            yield found


def _parse(paragraph: bytes, layout: _Format) -> Package | None:
    """Return the package of a paragraph, unless it is not installed or not whole."""
    text = b"\n" + paragraph
    if layout.status and not _field(text, layout.status).endswith(" installed"):
        return None
    name, version = _field(text, layout.name), _field(text, layout.version)
    if not name or not version:
        return None
    source = _field(text, layout.source).partition(" ")[0]  # "openssl (3.0.1-1)"
    return Package(name, _field(text, layout.arch), version, source or name)


def _field(text: bytes, start: bytes) -> str:
    at = text.find(b"\n" + start)
    if at < 0:
        return ""
    at += 1 + len(start)
    end = text.find(b"\n", at)
    return text[at : end if end >= 0 else len(text)].decode("utf-8", "replace").strip()
