"""A table of the configuration, read by key: every fault is told under the key's full name.

Leaves what the keys mean to config.py. A secret's file must not be readable by others.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar, cast
from urllib.parse import urlsplit

from roost_central.errors import ConfigError
from roost_central.fleet.query_suggest import closest

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
SECRET_BYTES_MAX: Final = 4_096
SECRET_BYTES_MIN: Final = 8  # SNMPv3's least (RFC 3414 section 11.2); a short one is guessed
OTHERS_READ: Final = 0o004
PORT_MAX: Final = 65_535

T = TypeVar("T")
Table = Mapping[str, object]
Fault = Callable[[str, str], None]


def is_loopback(host: str) -> bool:
    """Whether only this machine is at a host; a name other than localhost never counts."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def secret(path: Path) -> bytes:
    """Return what a secret's file holds, without the white space around it.

    Raises:
        ConfigError: ``secret``: the file cannot be used.
    """
    try:
        if path.stat().st_mode & OTHERS_READ:
            raise ConfigError("secret", field=str(path), bound="not readable by others (0640)")
        if path.stat().st_size > SECRET_BYTES_MAX:
            raise ConfigError("secret", field=str(path), bound=f"{SECRET_BYTES_MAX} bytes")
        found = path.read_bytes().strip()
    except OSError as err:
        raise ConfigError("secret", field=str(path), bound=err.strerror) from err
    if len(found) < SECRET_BYTES_MIN:
        raise ConfigError("secret", field=str(path), bound=f"at least {SECRET_BYTES_MIN} bytes")
    return found


class Section:
    """One table, read by key; what is wrong is told under its full name."""

    def __init__(self, table: Table, prefix: str, fault: Fault) -> None:
        self._table = table
        self._prefix = prefix
        self._fault = fault

    def fault(self, key: str, what: str) -> None:
        """Tell what is wrong."""
        self._fault(f"{self._prefix}{key}", what)

    def only(self, *known: str) -> None:
        """Refuse other keys."""
        for name in self._table:
            if name not in known:
                suggestion = closest(name, known)
                hint = f": did you mean {self._prefix}{suggestion}?" if suggestion else ""
                self.fault(name, f"is not known{hint}")

    def get(self, key: str, default: T) -> T:
        """Return a value of the default's type."""
        value = self._table.get(key, default)
        if type(value) is not type(default):
            kinds = {str: "a text", int: "a number", bool: "true or false", list: "a list"}
            self.fault(key, f"{value!r} is not {kinds.get(type(default), 'a table')}")
            return default
        return value

    def needed(self, key: str) -> str:
        """Return a text that must be there."""
        text = self.get(key, "")
        if not text:
            self.fault(key, "is missing")
        return text

    def name(self) -> str:
        """Return the target's name."""
        name = self.needed("name")
        if name and not NAME.fullmatch(name):
            self.fault("name", f"{name!r}: a name has 1 to 32 of a-z 0-9 -")
        return name

    def names(self, key: str, default: Sequence[str]) -> tuple[str, ...]:
        """Return a list of different names."""
        given: list[object] = self.get(key, list[object](default))
        names = [each if isinstance(each, str) else "" for each in given]
        if not all(NAME.fullmatch(name) for name in names) or len(set(names)) != len(names):
            self.fault(key, "is a list of different names of 1 to 32 of a-z 0-9 -")
        return tuple(names)

    def port(self, default: int) -> int:
        """Return a port."""
        port = self.get("port", default)
        if not 0 < port <= PORT_MAX:
            self.fault("port", f"{port} is not between 1 and {PORT_MAX}")
        return port

    def file(self, key: str, *, needed: bool = False) -> Path | None:
        """Return the file of a secret, looked at already now."""
        text = self.needed(key) if needed else self.get(key, "")
        if not text:
            return None
        try:
            secret(Path(text))
        except ConfigError as err:
            self.fault(key, f"{text!r} cannot be used: {err.bound}")
        return Path(text)

    def url(self, *, allow_private: bool) -> str:
        """Return an address of HTTP: in the clear only where private ranges are allowed."""
        text = self.needed("url")
        try:
            parts = urlsplit(text)
            is_address = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            is_address = False
            parts = urlsplit("")
        if text and (not is_address or parts.scheme not in {"http", "https"} or parts.username):
            self.fault("url", "is not https://HOST[:PORT]/PATH without a user")
        elif parts.scheme == "http" and not allow_private:
            self.fault("url", "is in the clear: use https, or allow_private for your own network")
        return text

    def section(self, key: str) -> "Section | None":
        """Return a table, None where it is not there."""
        table = self._table.get(key)
        if table is None:
            return None
        if not isinstance(table, dict):
            self.fault(key, f"is written as [{self._prefix}{key}]")
            return None
        return Section(cast("Table", table), f"{self._prefix}{key}.", self._fault)

    def sections(self, key: str) -> "list[Section]":
        """Return the tables of a list."""
        tables = self._table.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            self.fault(key, f"is written as [[{self._prefix}{key}]]")
            return []
        return [Section(each, f"{self._prefix}{key}.", self._fault) for each in tables]
