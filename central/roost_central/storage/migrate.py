"""Brings a database to the schema of this version, from the migrations inside the package."""

from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, func, select

from roost_central.errors import StorageError

LOCATION: Final = "roost_central:storage/migrations"
_UPGRADING: Final = 0x726F6F73745550  # of PostgreSQL's advisory locks, any number that is ours


def upgrade(connection: Connection) -> None:
    """Run what migrations are missing, in the transaction of ``connection``.

    A centre and its brokers may open a new database at once: one of them does it, the others wait.
    SQLite has one writer anyway.

    Raises:
        StorageError: ``schema``: a later version of roost wrote this database.
    """
    config = Config()
    config.set_main_option("script_location", LOCATION)
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_UPGRADING)))
    try:
        command.upgrade(config, "head")
    except (CommandError, ResolutionError) as err:
        raise StorageError("schema", field="alembic_version", got=str(err)) from err
