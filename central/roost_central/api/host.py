"""A node as a host, over HTTP: its watched processes, as it said them last."""

from typing import Any

import msgspec

from roost_central.api.answers import Age, Time
from roost_central.api.call import Call
from roost_central.api.instants import age_s, instant
from roost_central.api.named_node import named_node
from roost_central.storage.last_reports import HOST


class ProcessAnswer(msgspec.Struct, frozen=True):
    """One watched process.

    ``since`` and the states are the node's own word. ``restarts``: since its agent started;
    ``in_row``: of these, since it last settled.
    """

    process: str
    state: str
    mode: str
    severity: str
    since: Time | None
    pid: int | None
    restarts: int
    in_row: int
    reason: str
    file: str


class ProcessesAnswer(msgspec.Struct, frozen=True):
    """The processes of a node.

    Attributes:
        as_of: when the node said so, by its own clock; None: it never did, it watches none.
        age_s: since the centre heard it.
        degrade: why the node is less than it should be: reason to severity.
        faults: of files that define processes, and of the watching.
    """

    node: str
    as_of: Time | None
    age_s: Age | None
    processes: list[ProcessAnswer]
    degrade: dict[str, str]
    faults: list[str]


async def list_processes(call: Call[Any, Any]) -> ProcessesAnswer:
    """GET /api/v1/nodes/{node}/processes."""
    node = named_node(call).node
    async with call.api.database.read() as connection:
        found = await HOST.find(connection, node)
    if found is None:
        return ProcessesAnswer(node, None, None, [], {}, [])
    report = found.report
    return ProcessesAnswer(
        node=node,
        as_of=instant(found.at_ms),
        age_s=age_s(found.received_ms, call.api.clock.wall_ms()),
        processes=[
            ProcessAnswer(
                process=each.name,
                state=each.state.value,
                mode=each.mode,
                severity=each.severity,
                since=instant(each.since_ms),
                pid=each.pid or None,
                restarts=each.restarts,
                in_row=each.in_row,
                reason=each.reason,
                file=each.file,
            )
            for each in report.processes
        ],
        degrade=dict(report.degrade),
        faults=list(report.faults),
    )
