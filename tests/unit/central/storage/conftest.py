import pytest

from roost_central.ports import SystemClock
from roost_central.storage.engine import Database


@pytest.fixture(params=["sqlite"])
def database_url(request, tmp_path):
    """The databases that one contract holds for; PostgreSQL joins with its own server."""
    return f"sqlite+aiosqlite:///{tmp_path}/roost.db"


@pytest.fixture
async def database(database_url):
    database = await Database.open(database_url, clock=SystemClock())
    yield database
    await database.close()
