"""Our own schema, ``wxyc_assets``: how it comes to be, by Alembic. The station's tables are never altered."""

HEAD = "0005"
"""The revision that this code works with; a test holds it equal to the newest script."""
