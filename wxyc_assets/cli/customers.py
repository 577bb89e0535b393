"""Refuses a customer that no event and no bill names."""

import difflib

import psycopg

from wxyc_assets.assets.rated_usage.explain import billed_customers, is_customer
from wxyc_assets.cli.outcome import CannotError


def require_customer(connection: psycopg.Connection, auth_id: str) -> None:
    """Raise CannotError for an unknown customer; it names those whose names are similar, else some of them."""
    if is_customer(connection, auth_id):
        return
    billed = billed_customers(connection)
    named = difflib.get_close_matches(auth_id, billed, n=5, cutoff=0.5) or billed[:5]
    hint = f"; customers are {', '.join(named)}" if named else ": no customer was ever billed"
    raise CannotError(f"no event and no bill names the customer {auth_id}{hint}")
