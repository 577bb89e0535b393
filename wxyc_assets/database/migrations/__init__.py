"""The Alembic migrations of our own schema, ``wxyc_assets``. The station's tables are never altered."""

HEAD = "0012"
"""The revision that this code needs; a test holds it equal to the newest script."""
