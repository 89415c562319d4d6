"""Brings a database to the schema of this version, from the migrations inside the package."""

from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection

from roost_central.errors import StorageError

LOCATION: Final = "roost_central:storage/migrations"


def upgrade(connection: Connection) -> None:
    """Run what migrations are missing, in the transaction of ``connection``.

    Raises:
        StorageError: ``schema``: a later version of roost wrote this database.
    """
    config = Config()
    config.set_main_option("script_location", LOCATION)
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except (CommandError, ResolutionError) as err:
        raise StorageError("schema", field="alembic_version", got=str(err)) from err
