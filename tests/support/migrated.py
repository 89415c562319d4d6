"""An empty SQLite database of this version's schema: migrated once in a run, then copied.

What migrations do is proved where they are tested, over both engines (``storage``); whoever only
needs a database takes a copy, which costs a fifth.
"""

import functools
import tempfile
from pathlib import Path

from sqlalchemy import create_engine

from roost_central.storage.migrate import upgrade


def database_url(folder: Path) -> str:
    """Put such a database into a folder, unless there is one, and return its URL."""
    file = folder / "roost.db"
    if not file.exists():
        file.write_bytes(_content())
    return f"sqlite+aiosqlite:///{file}"


@functools.cache
def _content() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "roost.db"
        engine = create_engine(f"sqlite:///{file}")
        with engine.begin() as connection:
            upgrade(connection)
        engine.dispose()
        return file.read_bytes()
