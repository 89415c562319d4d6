"""The windows that profiles give nodes: what releases wait for there, whatever their plan says."""

from collections.abc import Collection

from roost_central.storage import desired
from roost_central.storage.engine import Database
from roost_protocol.errors import ProtocolError
from roost_protocol.window import SECTION, Window, check, window_of


async def own_windows(database: Database, nodes: Collection[str]) -> dict[str, Window]:
    """Return the windows of those nodes that should have one, by node."""
    async with database.read() as connection:
        heads = await desired.heads(connection, nodes)
        keys = {head.document for head in heads.values() if head.generation}
        documents = await desired.documents(connection, keys)
    by_key = {key: _window(each.sections.get(SECTION, {})) for key, each in documents.items()}
    found = {node: by_key.get(head.document) for node, head in heads.items()}
    return {node: window for node, window in found.items() if window is not None}


def _window(said: dict[str, object]) -> Window | None:
    """Return a window; None where there is none, or in a zone that the centre does not know."""
    try:
        window = window_of(said)
        if window is not None:
            check(window)
    except ProtocolError:
        return None
    return window
