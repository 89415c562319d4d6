"""The durable copy of the fleet: one engine, one schema, one repository file per aggregate.

SQLAlchemy Core over aiosqlite by default; nothing outside ``upsert.py`` and ``engine.py`` knows
the dialect, so that the same repositories run on PostgreSQL.
"""
