"""Runs one SQL script of many statements inside Alembic's transaction."""

import psycopg
from sqlalchemy import Connection

from resources import sql_files


def execute_script(connection: Connection, name: str) -> None:
    """Run ``sql/<name>.sql`` on the driver's own connection: a script has many statements, a SQLAlchemy text has one."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("migrations run on psycopg 3")
    driver.execute(sql_files.load("wxyc_assets.database.migrations", name))
