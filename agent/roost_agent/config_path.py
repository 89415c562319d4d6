"""Reads one ``[[path]]`` table: texts in, a PathConfig out, every fault told."""

import socket
from collections.abc import Callable
from typing import Any, Final

from roost_agent.config import PathConfig, TlsConfig
from roost_protocol.beat import PathKind
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import check_path_name

Fault = Callable[[str, str], None]  # key, what is wrong with it

PATH_KEYS: Final = (
    "name",
    "kind",
    "broker",
    "bind",
    "username",
    "password_file",
    "ca_file",
    "cert_file",
    "key_file",
)
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_PORT_MAX: Final = 65_535


def path_config(table: dict[str, Any], fault: Fault) -> PathConfig | None:
    """Return the path that ``table`` describes, None when there was any fault."""
    faults = 0

    def tell(key: str, what: str) -> None:
        nonlocal faults
        faults += 1
        fault(f"path.{key}", what)

    texts = _texts(table, tell)
    _check_names(texts, tell)
    scheme, host, port = _broker(texts["broker"], tell)
    tls = _tls(texts, tell, used=scheme == "mqtts")
    if faults:
        return None
    return PathConfig(
        name=texts["name"],
        kind=PathKind(texts["kind"]),
        host=host,
        port=port,
        bind=texts["bind"],
        username=texts["username"] or None,
        password_file=texts["password_file"] or None,
        tls=tls,
    )


def _texts(table: dict[str, Any], tell: Fault) -> dict[str, str]:
    texts = {}
    for key in PATH_KEYS:
        value = table.get(key, "")
        texts[key] = value if isinstance(value, str) else ""
        if not isinstance(value, str):
            tell(key, "must be a string")
    return texts


def _check_names(texts: dict[str, str], tell: Fault) -> None:
    try:
        check_path_name(texts["name"])
    except ProtocolError as err:
        tell("name", f"{texts['name']!r}: {err.bound}")
    if texts["kind"] not in set(PathKind):
        tell("kind", f"{texts['kind']!r}: one of {', '.join(PathKind)}")
    if texts["bind"] and not _is_address(texts["bind"]):
        tell("bind", f"{texts['bind']!r}: must be an IP address of this node")


def _broker(url: str, tell: Fault) -> tuple[str, str, int]:
    scheme, mark, rest = url.partition("://")
    host, colon, port = rest.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = rest, str(_PORTS.get(scheme, 0))
    host = host.removeprefix("[").removesuffix("]")
    is_number = port.isascii() and port.isdecimal() and len(port) <= len(str(_PORT_MAX))
    number = int(port) if is_number else 0
    if set(host) & set("/@?# "):
        tell("broker", f"{url!r}: only a host and a port; a user is path.username")
    elif scheme not in _PORTS or not mark or not host or not 1 <= number <= _PORT_MAX:
        tell("broker", f"{url!r}: must be mqtt://HOST[:PORT] or mqtts://HOST[:PORT]")
    return scheme, host, number


def _tls(texts: dict[str, str], tell: Fault, *, used: bool) -> TlsConfig | None:
    if not used:
        for key in ("ca_file", "cert_file", "key_file"):
            if texts[key]:
                tell(key, "only a mqtts:// broker uses it")
        return None
    if not texts["ca_file"]:
        tell("ca_file", "missing; a mqtts:// broker is checked against it")
    if bool(texts["cert_file"]) != bool(texts["key_file"]):
        tell("cert_file", "cert_file and key_file belong together")
    return TlsConfig(texts["ca_file"], texts["cert_file"] or None, texts["key_file"] or None)


def _is_address(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except OSError:
            continue
        return True
    return False
