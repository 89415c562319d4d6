"""What a node's board controller read lately, over HTTP: asked of the node that reads it.

A controller is read by one node of its site, not always its own, and that node keeps the readings.
The centre keeps none: where that node is silent there is nothing to show.
"""

from typing import Any

from roost_central.api.call import Call
from roost_central.api.named_node import named_node
from roost_central.api.samples import SamplesAnswer, SamplesQuery, nothing, told, why_silent, wish
from roost_central.storage import bmc_reports


async def show_board_samples(call: Call[SamplesQuery, Any]) -> SamplesAnswer:
    """GET /api/v1/nodes/{node}/sensors/samples."""
    row = named_node(call)
    asked = wish(call.query, call.now_ms, board=row.name)
    async with call.api.database.read() as connection:
        record = await bmc_reports.find(connection, row.node)
    if record is None:
        return nothing(row.node, "nobody reads its board controller: see docs/bmc.md")
    if record.speaker == bmc_reports.SPEAKER:
        return nothing(row.node, "the centre polls its board controller, and keeps no readings")
    reader = call.api.view.nodes.get(record.speaker)
    if reader is None:
        return nothing(row.node, f"{record.speaker}, which read its board controller, is no node")
    if (silent := why_silent(reader)) is not None:
        return nothing(row.node, f"{record.speaker} reads its board controller: {silent}")
    found = await call.api.samples.fetch(record.speaker, asked)
    if found.told is None:
        return nothing(row.node, f"{record.speaker} reads its board controller: {found.why}")
    return told(call, row.node, "node", found.told, found.why)
