"""What is to be written when profiles were compiled anew: generations that rise, and why not. Pure.

Invariants: a node's generation is +1 exactly when its settings are others; a node that cannot have
what its profiles say keeps what it has, with the reason; a node that never had settings and has
none has no generation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from roost_central.profiles.core import Compilation, Compiled
from roost_central.profiles.desired import (
    DesiredChange,
    DesiredRecord,
    Document,
    document_of,
)
from roost_protocol.profile.field import dotted


@dataclass(frozen=True, slots=True)
class Cause:
    """When, by whom and why what nodes should be is another."""

    at_ms: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Writes:
    """What to write, in the order of nodes.

    Attributes:
        former: generation and document of those that change, as they were; none: they had none.
    """

    documents: dict[bytes, Document] = field(default_factory=dict)
    records: list[DesiredRecord] = field(default_factory=list)
    changes: list[DesiredChange] = field(default_factory=list)
    former: dict[str, tuple[int, bytes]] = field(default_factory=dict)


def settle(
    compilation: Compilation,
    heads: Mapping[str, DesiredRecord],
    digests: Mapping[bytes, bytes],
    cause: Cause,
    nodes: Iterable[str] | None = None,
) -> Writes:
    """Return what is to be written.

    Args:
        compilation: what profiles make of nodes.
        heads: what nodes should be by now.
        digests: of the settings in each document that a head names, by its key.
        cause: of all that changes.
        nodes: which; None: all.
    """
    writes = Writes()
    made: dict[int, Document] = {}
    for node in compilation.nodes if nodes is None else nodes:
        compiled = compilation.nodes[node]
        head = heads.get(node)
        record: DesiredRecord | None
        document: Document | None = None
        if compilation.is_well(node):
            document = made.get(id(compiled))
            if document is None:
                document = made[id(compiled)] = _document(compiled)
            record = _next(node, head, document, digests, cause)
        else:
            record = _faulty(node, head, why_not(compilation, node), cause)
        if record is None or record == head:
            continue
        writes.records.append(record)
        if document is not None and record.document == document.key:
            writes.documents[document.key] = document
        if record.generation > (0 if head is None else head.generation):
            if head is not None and head.generation:
                writes.former[node] = head.generation, head.document
            writes.changes.append(
                DesiredChange(
                    node, record.generation, record.document, cause.at_ms, cause.by, cause.reason
                )
            )
    return writes


def why_not(compilation: Compilation, node: str) -> str:
    """Return the first reason why a node cannot have what its profiles say."""
    compiled = compilation.nodes[node]
    for conflict in compiled.merged.conflicts:
        names = f"{conflict.first.name} and {conflict.second.name}"
        return f"{dotted(conflict.path)}: {names} say different things"
    for fault in (*compiled.faults, *compilation.impossible.get(node, ())):
        return f"{fault.where}: {fault.bound}"
    raise AssertionError(f"{node} can have them")


def _next(
    node: str,
    head: DesiredRecord | None,
    document: Document,
    digests: Mapping[bytes, bytes],
    cause: Cause,
) -> DesiredRecord | None:
    """Return what a node should be; None: it had no settings and has none."""
    if head is None or not head.generation:
        if not document.sections:
            return None if head is None else replace(head, fault="")
        return DesiredRecord(node, 1, document.key, cause.at_ms)
    if digests.get(head.document) == document.digest:  # the same settings, whosever they are
        return replace(head, document=document.key, fault="")
    return DesiredRecord(node, head.generation + 1, document.key, cause.at_ms)


def _faulty(node: str, head: DesiredRecord | None, fault: str, cause: Cause) -> DesiredRecord:
    """Return what a node should be that cannot have what its profiles say."""
    if head is None:
        return DesiredRecord(node, 0, b"", cause.at_ms, fault)  # generation 0: nothing yet
    return replace(head, fault=fault)


def _document(compiled: Compiled) -> Document:
    return document_of(compiled.sections, compiled.reasons, compiled.digest)
