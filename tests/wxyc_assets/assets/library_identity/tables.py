"""What a test does with the tables of library_identity, past any run."""

from tests.wxyc_assets.library_identity.runs import RETRY, STALE
from wxyc_assets.library_identity import store
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.store import Selection
from wxyc_assets.library_identity.verdicts import judge_one
from wxyc_assets.library_identity.writers import ShardWriter


def selection(connection, **overrides):
    """What a run that begins now looks at."""
    as_of, upto_id = store.beginning(connection)
    return Selection(**{"as_of": as_of, "upto_id": upto_id, "stale_after": STALE, "retry_after": RETRY, **overrides})


def write(connection, *answers, run_id="run", writer=None):
    """Write these answers of LML as one page; return the writer and the outcomes."""
    writer = writer or ShardWriter(connection, run_id, 0)
    outcomes = [judge_one(answer["library_id"], answer) for answer in answers]
    return writer, writer.write(outcomes, Counters(lml_total_calls=1))


def rows(connection, query, *parameters):
    """What the database says."""
    return connection.execute(query, parameters or None).fetchall()


def pages(connection, page_size=3, shard=0, shard_count=1, **overrides):
    """The eligible libraries, page by page."""
    chosen = selection(connection, **overrides)
    return list(store.pages(connection, chosen, shard=shard, shard_count=shard_count, page_size=page_size))
