"""Alembic migrations; run at start by ``storage/migrate.py``."""
