"""Whether there is billing at this station: one without it is supported."""

import psycopg

from resources import sql_files

NO_BILLING = "this station has no billing tables"


def has_billing(connection: psycopg.Connection) -> bool:
    """Whether the search_path of the session has the tables that usage is rated in."""
    ((found,),) = connection.execute(sql_files.load("wxyc_assets.database", "select_has_billing")).fetchall()
    return bool(found)
