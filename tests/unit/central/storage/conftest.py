"""The databases that one contract holds for."""

import sys
import uuid
from pathlib import Path

import pytest
from alembic.config import Config

from roost_central.storage.migrate import LOCATION

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from postgres import postgres

from roost_central.ports import SystemClock
from roost_central.storage.engine import Database

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request, tmp_path):
    """An empty database of each kind; PostgreSQL's server runs while the session lasts."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/roost.db"
    server = request.getfixturevalue("postgres")
    return server.make_database(f"test_{uuid.uuid4().hex}")


@pytest.fixture
async def database(database_url):
    database = await Database.open(database_url, clock=SystemClock())
    yield database
    await database.close()


@pytest.fixture
def at_revision():
    """Bring a database up or down to a revision, within a transaction."""

    async def at_revision(connection, step, revision):
        def run(inner):
            config = Config()
            config.set_main_option("script_location", LOCATION)
            config.attributes["connection"] = inner
            step(config, revision)

        await connection.run_sync(run)

    return at_revision
