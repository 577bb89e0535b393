"""Reads and writes the tables of library_identity without a run."""

from tests.wxyc_assets.assets.library_identity.harness import RETRY, STALE
from wxyc_assets.assets.library_identity import store
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.store import Selection
from wxyc_assets.assets.library_identity.verdicts import classify_answer
from wxyc_assets.assets.library_identity.writer import ShardWriter


def selection(connection, **overrides):
    """The selection of a run that starts now."""
    as_of, upto_id = store.run_start(connection)
    return Selection(**{"as_of": as_of, "upto_id": upto_id, "stale_after": STALE, "retry_after": RETRY, **overrides})


def write(connection, *answers, run_id="run", writer=None, reads_tracks=False):
    """Write these answers of LML as one page; return the writer and the outcomes."""
    writer = writer or ShardWriter(connection, run_id, 0)
    outcomes = [classify_answer(answer["library_id"], answer, reads_tracks=reads_tracks) for answer in answers]
    return writer, writer.write(outcomes, Counters(lml_total_calls=1)).outcomes


def rows(connection, query, *parameters):
    """The rows of a query."""
    return connection.execute(query, parameters or None).fetchall()


def pages(connection, page_size=3, shard=0, shard_count=1, **overrides):
    """The eligible libraries, page by page."""
    chosen = selection(connection, **overrides)
    return list(store.pages(connection, chosen, shard=shard, shard_count=shard_count, page_size=page_size))
