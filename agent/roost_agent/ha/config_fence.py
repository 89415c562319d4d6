"""How each node of a site can be switched off: the fences of ``ha.toml``, and what must hold."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from roost_agent.ha.config_kinds import Absolute, Words
from roost_protocol.patterns import END

REDFISH: Final = ("url", "system", "credentials", "ca_file", "certificate_sha256")

Url = Annotated[
    str,
    Meta(
        pattern=r"^https://[^/@?#\s]+" + END,
        max_length=255,
        description="https://HOST[:PORT], at most 255 characters",
    ),
]
Resource = Annotated[
    str,
    Meta(
        pattern=r"^/redfish/[^?#\s]+" + END,
        max_length=255,
        description="a resource, /redfish/..., at most 255 characters",
    ),
]
Digest = Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}" + END, description="64 hexadecimal digits")]


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """The device that switches a node.

    Attributes:
        uuid: of the node's machine, as its firmware says (DMI); the device must say the same.
        url: of a Redfish service.
        system: its resource for the node; without it the service has one alone.
        credentials: file with ``user`` and ``password``, mode 0600.
        ca_file: that signed the device's certificate; or
        certificate_sha256: of the certificate itself.
        command: program that takes ``status``, ``off`` or ``on`` as its last argument.
        timeout_s: for one answer.
    """

    node: str
    driver: Literal["redfish", "command"]
    uuid: Annotated[str, Meta(max_length=45)] | None = None
    url: Url | None = None
    system: Resource | None = None
    credentials: Absolute | None = None
    ca_file: Absolute | None = None
    certificate_sha256: Digest | None = None
    command: Words | None = None
    timeout_s: Annotated[float, Meta(ge=1, le=60)] = 10.0


def fence_faults(fences: Sequence[Fence], nodes: Collection[str] | None) -> Iterator[str]:
    """Yield everything that is wrong with the fences of a site; None: its nodes are not known."""
    names = [fence.node for fence in fences]
    for name in dict.fromkeys(each for each in names if names.count(each) > 1):
        yield f"fence: {name!r} has two; several devices of one node are one command"
    machines: dict[object, str] = {}
    for fence in fences:
        where = f"fence[{fence.node}]"
        if nodes is not None and fence.node not in nodes:
            yield f"{where}.node: {fence.node!r} is no node; there are {', '.join(nodes)}"
        yield from _machine(fence, where, machines)
        yield from _redfish(fence, where) if fence.driver == "redfish" else _command(fence, where)


def _machine(fence: Fence, where: str, machines: dict[object, str]) -> Iterator[str]:
    if fence.uuid is None:
        return
    try:
        machine = uuid.UUID(fence.uuid)
    except ValueError:
        yield f"{where}.uuid: {fence.uuid!r}: must be a UUID: dmidecode -s system-uuid on the node"
        return
    if machine in machines:
        yield f"{where}.uuid: {fence.uuid!r} is {machines[machine]}'s too"
    machines[machine] = fence.node


def _redfish(fence: Fence, where: str) -> Iterator[str]:
    for key in ("url", "uuid", "credentials"):
        if getattr(fence, key) is None:
            yield f'{where}.{key}: missing; driver = "redfish" needs it'
    if (fence.ca_file is None) == (fence.certificate_sha256 is None):
        yield f"{where}: must have one of ca_file, certificate_sha256"
    if fence.command is not None:
        yield f'{where}.command: {fence.command[0]!r}: only driver = "command" has it'


def _command(fence: Fence, where: str) -> Iterator[str]:
    if fence.command is None:
        yield f'{where}.command: missing; driver = "command" needs it'
    elif not fence.command[0].startswith("/"):
        yield (f"{where}.command: {fence.command[0]!r}: a program is named by its absolute path")
    for key in REDFISH:
        if getattr(fence, key) is not None:
            yield f'{where}.{key}: {getattr(fence, key)!r}: only driver = "redfish" has it'
