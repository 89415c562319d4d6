"""A node's inventory as of a time: what is kept now, with the changes since taken back."""

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.inventory.core import rewind
from roost_central.inventory.facts import FieldChange, Items, Reasons
from roost_central.storage import inventory


async def at(
    connection: AsyncConnection, node: str, at_ms: int
) -> dict[str, tuple[Items, Reasons]]:
    """Return each section's items and missing reasons as the centre held them at ``at_ms``."""
    kept = await inventory.sections(connection, node)
    sections = {name: (section.items, section.missing) for name, section in kept.items()}
    before: int | None = None
    while changes := await inventory.changes(connection, node, since_ms=at_ms, before=before):
        sections = rewind(
            sections,
            [
                FieldChange(change.section, change.item, change.field, change.old, change.new)
                for change in changes
            ],
        )
        before = changes[-1].seq
    return sections
