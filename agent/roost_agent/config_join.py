"""Reads the ``[join]`` tables: how a box without an identity finds its centre."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from roost_agent.config import JoinConfig
from roost_protocol.certificate import check_pin
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import check_name

Fault = Callable[[str, str], None]  # key, what is wrong with it

FILES: Final = ("token_file", "key_file", "factory_cert", "factory_key", "tpm")
TEXTS: Final = ("url", "pin", "name", "domain", *FILES)
CLAIM_DIRS_MAX: Final = 16
RESOLVERS_MAX: Final = 3  # as many as the C library asks
DNS_PORT: Final = 53
_FOLDER: Final = re.compile(r"(/[^/*\x00]*|/\*)+")  # a star stands for one whole name
_DOMAIN: Final = re.compile(r"(?=.{1,200}$)([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}", re.ASCII)
_PORTS: Final = range(1, 1 << 16)


def join_config(said: Mapping[str, Any], fault: Fault) -> JoinConfig:
    """Return what the tables say; every fault is told."""
    default = JoinConfig()
    texts = {key: _text(said, key, fault) for key in TEXTS}
    _check_texts(texts, fault)
    dns = said.get("dns", default.dns)
    if not isinstance(dns, bool):
        fault("dns", "must be true or false")
    folders = _list(said, "claim_dirs", CLAIM_DIRS_MAX, fault)
    for each in folders:
        if not _FOLDER.fullmatch(each) or ".." in each.split("/"):
            fault("claim_dirs", f"{each!r}: an absolute folder, * for any one name in it")
    return JoinConfig(
        **texts,
        claim_dirs=folders if "claim_dirs" in said else default.claim_dirs,
        dns=bool(dns),
        resolvers=tuple(
            server
            for each in _list(said, "resolvers", RESOLVERS_MAX, fault)
            if (server := _server(each, fault)) is not None
        ),
    )


def _text(said: Mapping[str, Any], key: str, fault: Fault) -> str:
    value = said.get(key, "")
    if isinstance(value, str):
        return value
    fault(key, "must be a string")
    return ""


def _list(said: Mapping[str, Any], key: str, most: int, fault: Fault) -> tuple[str, ...]:
    value = said.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        fault(key, "must be a list of strings")
        return ()
    if len(value) > most:
        fault(key, f"{len(value)} entries: bound {most}")
    return tuple(value[:most])


def _check_texts(texts: Mapping[str, str], fault: Fault) -> None:
    if texts["url"] and not _is_url(texts["url"]):
        fault("url", f"{texts['url'][:200]!r}: must be https://HOST[:PORT]")
    for key in FILES:
        if texts[key] and not texts[key].startswith("/"):
            fault(key, "must be an absolute path, of a file that holds it")
    if bool(texts["factory_cert"]) != bool(texts["factory_key"]):
        fault("factory_cert", "goes with factory_key: a certificate, and the file of its key")
    if texts["domain"] and not _DOMAIN.fullmatch(texts["domain"].lower().removesuffix(".")):
        fault("domain", f"{texts['domain'][:200]!r}: must be a domain, such as edge.example")
    try:
        if texts["pin"]:
            check_pin(texts["pin"])
        if texts["name"]:
            check_name(texts["name"], field="name")
    except ProtocolError as err:
        fault(err.field or err.code, f"{str(err.got)[:64]!r}: {err.bound}")


def _is_url(text: str) -> bool:
    from urllib.parse import urlsplit  # noqa: PLC0415 - 0.3 MiB, where a file names one

    try:
        parts = urlsplit(text)
        return (
            parts.scheme == "https"
            and bool(parts.hostname)
            and parts.port != 0
            and parts.path in {"", "/"}
        )
    except ValueError:
        return False


def _server(text: str, fault: Fault) -> tuple[str, int] | None:
    """Return the parts of ``ADDRESS`` or ``ADDRESS:PORT``, an IPv6 address in brackets there."""
    from ipaddress import ip_address  # noqa: PLC0415 - 0.2 MiB, as above

    try:
        return str(ip_address(text)), DNS_PORT
    except ValueError:
        host, _, port = text.rpartition(":")
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        address = None
    if address is None or not port.isdecimal() or int(port) not in _PORTS:
        fault("resolvers", f"{text[:64]!r}: must be ADDRESS or ADDRESS:PORT")
        return None
    return str(address), int(port)
