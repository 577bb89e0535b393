"""Seconds of rating a day beside one plain GROUP BY of the same events, and beside the predecessor's way to rate.

Two stations: one with 5,000,000 events in 24 hours that make some 35,000 rollups, one with 1,000,000 events that make some
500,000. Each is rated by the asset's own run (locks, ledger and tallies included, Dagster not) and by one statement of the
predecessor's shape (prices joined to every event before they are grouped, every row written again), both from nothing and again
on unchanged data, in turns; the best of several rounds counts, because other work on the machine only ever adds to a time.
Last, one late event comes, and its hour alone is rated again.

    python -m benchmarks.rated_usage [--events 5000000] [--accounts 1460] [--small-events 1000000] [--small-accounts 26000]
                                     [--rounds 3]
"""

import argparse
import io
import json
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg

from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets.migrate import migrate
from wxyc_assets.price_book.book import Price, PriceBook, Rates
from wxyc_assets.progress import Silent
from wxyc_assets.rated_usage import store
from wxyc_assets.rated_usage.run import Request, Tools, run
from wxyc_assets.rated_usage.windows import HOUR, key
from wxyc_assets.sandbox.generator import generate_billing_events
from wxyc_assets.sandbox.station import create

START = datetime(2026, 6, 8, tzinfo=UTC)
HOURS = 24
MODELS = {"m0": None, "m1": None, "m2": None, "m3": None, "m4": None, "ft:own": None, "ft:x": "m1"}

GROUP_BY = """
SELECT count(*) FROM (
  SELECT auth_id, resource_id, model, date_trunc('hour', COALESCE(event_ts, created_at), 'UTC'), count(*), sum(prompt_tokens),
    sum(cached_tokens), sum(completion_tokens)
  FROM billing_event
  WHERE COALESCE(event_ts, created_at) >= %(start)s AND COALESCE(event_ts, created_at) < %(end)s
  GROUP BY 1, 2, 3, 4
) rollups
"""

PREDECESSOR = """
WITH priced AS (
  SELECT e.auth_id, e.resource_id, e.model AS model_id,
    date_trunc('hour', COALESCE(e.event_ts, e.created_at) AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS window_start,
    e.prompt_tokens, e.cached_tokens, e.completion_tokens, GREATEST(e.prompt_tokens - e.cached_tokens, 0) AS billable,
    COALESCE(p.prompt, d.prompt) AS prompt, COALESCE(p.cached, d.cached) AS cached,
    COALESCE(p.completion, d.completion) AS completion, CASE WHEN p.model IS NULL THEN e.base_model END AS base_model
  FROM billing_event e
  LEFT JOIN rating_price p ON p.model = e.model
  LEFT JOIN rating_derived d ON p.model IS NULL AND e.model LIKE 'ft:%%' AND d.model = e.base_model
  WHERE COALESCE(e.event_ts, e.created_at) >= %(start)s AND COALESCE(e.event_ts, e.created_at) < %(end)s
    AND e.auth_id IS NOT NULL AND e.resource_id IS NOT NULL AND e.model IS NOT NULL
), rollups AS (
  SELECT auth_id, resource_id, model_id, window_start, sum(prompt_tokens) AS prompt_tokens, sum(cached_tokens) AS cached_tokens,
    sum(completion_tokens) AS completion_tokens, sum(billable) AS billable_prompt_tokens,
    sum(billable * prompt + cached_tokens * cached + completion_tokens * completion) AS cost,
    max(prompt) AS prompt, max(cached) AS cached, max(completion) AS completion, count(*) AS event_count
  FROM priced
  WHERE prompt IS NOT NULL
  GROUP BY 1, 2, 3, 4
  HAVING count(DISTINCT base_model) <= 1
), deleted AS (
  DELETE FROM rated_usage r
  WHERE r.window_start >= %(start)s AND r.window_start < %(end)s AND NOT EXISTS (
    SELECT FROM rollups u WHERE (u.auth_id, u.resource_id, u.model_id, u.window_start)
      = (r.auth_id, r.resource_id, r.model_id, r.window_start))
), upserted AS (
  INSERT INTO rated_usage
  SELECT md5(length(auth_id) || ':' || auth_id || '|' || length(resource_id) || ':' || resource_id || '|' || length(model_id)
      || ':' || model_id || '|' || extract(epoch FROM window_start)::bigint),
    auth_id, resource_id, model_id, window_start, window_start + interval '1 hour', prompt_tokens, cached_tokens,
    completion_tokens, billable_prompt_tokens, cost, prompt, cached, completion, event_count, now()
  FROM rollups
  ON CONFLICT (auth_id, resource_id, model_id, window_start) DO UPDATE SET
    window_end = EXCLUDED.window_end, prompt_tokens = EXCLUDED.prompt_tokens, cached_tokens = EXCLUDED.cached_tokens,
    completion_tokens = EXCLUDED.completion_tokens, billable_prompt_tokens = EXCLUDED.billable_prompt_tokens,
    cost = EXCLUDED.cost, applied_prompt_rate = EXCLUDED.applied_prompt_rate,
    applied_cached_rate = EXCLUDED.applied_cached_rate, applied_completion_rate = EXCLUDED.applied_completion_rate,
    event_count = EXCLUDED.event_count, rated_at = now()
  RETURNING cost
)
SELECT sum(cost)::text FROM upserted
"""

TEMPORARY = """
CREATE TEMP TABLE {name} ON COMMIT DROP AS
SELECT model, prompt::numeric(20, 9), cached::numeric(20, 9), completion::numeric(20, 9)
FROM unnest(%(models)s::text[], %(prompt)s::text[], %(cached)s::text[], %(completion)s::text[])
  AS r (model, prompt, cached, completion)
"""

WINDOW = {"start": START, "end": START + HOURS * HOUR}


def prices() -> PriceBook:
    def price(model: str, factor: int) -> Price:
        rates = (Decimal(rate) * factor for rate in ("0.000000150", "0.000000015", "0.000000600"))
        return Price(model, Rates(*rates), "base")

    own = [price(model, 2) for model in MODELS if model != "ft:x"]
    return PriceBook(1, "0" * 64, tuple(own), tuple(price(f"m{number}", 3) for number in range(5)))


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def make_station(server: EmbeddedPostgres, name: str, events: int, accounts: int) -> Postgres:
    server.ensure_database(name)
    postgres = Postgres(server.dsn(name), statement_timeout_ms=0)
    with postgres.connect() as connection:
        create(connection, sample=False)
        generate_billing_events(
            connection, events, first_instant=START, hours=HOURS, accounts=accounts, models=MODELS, odd_share=0.01
        )
        connection.execute("VACUUM ANALYZE billing_event")
    migrate(postgres)
    return postgres


def forget(postgres: Postgres) -> None:
    """Nothing was ever rated, and nothing waits to be written to disk."""
    with postgres.connect() as connection:
        connection.execute("TRUNCATE rated_usage, wxyc_assets.usage_change, wxyc_assets.tally")
        connection.execute("CHECKPOINT")


def group_by(postgres: Postgres) -> None:
    with postgres.connect() as connection:
        connection.execute(GROUP_BY, WINDOW)


def predecessor(postgres: Postgres) -> str:
    """Rate the whole window by one statement; on a session as the server's defaults have it. Returns the total cost."""
    book = prices().sql_parameters()
    with psycopg.connect(postgres.dsn) as connection:
        connection.execute("SET search_path TO public")
        for name, kind in (("rating_price", "priced"), ("rating_derived", "derived")):
            rates = {column: book[f"{kind}_{column}_rates"] for column in ("prompt", "cached", "completion")}
            connection.execute(TEMPORARY.replace("{name}", name), {"models": book[f"{kind}_models"], **rates})
        ((total,),) = connection.execute(PREDECESSOR, WINDOW).fetchall()
        return str(total)


def rate(postgres: Postgres) -> str:
    """Rate the whole window as the asset does. Returns the total cost."""
    request = Request(uuid.uuid4().hex, "explicit", [key(START + place * HOUR) for place in range(HOURS)], trailing=1)
    log = step_log(tool="benchmark", run_id=request.run_id, human=False, stream=io.StringIO())
    tools = Tools(postgres, prices, log, Silent())
    report = run(request, tools, lambda _done: None)
    if report.problems:
        raise RuntimeError(report.reason)
    return str(report.total.total_cost)


def measure(postgres: Postgres, rounds: int) -> dict[str, float]:
    """Return the best of several rounds of each way, first from nothing and then again."""
    taken: dict[str, list[float]] = {}

    def take(name: str, work: Callable[[], object]) -> None:
        taken.setdefault(name, []).append(seconds(work))

    totals = set()
    for _ in range(rounds):
        take("group_by_s", lambda: group_by(postgres))
        for name, way in (("predecessor", predecessor), ("rated", rate)):
            forget(postgres)
            take(f"{name}_first_s", lambda way=way: totals.add(way(postgres)))
            take(f"{name}_again_s", lambda way=way: totals.add(way(postgres)))
    if len(totals) != 1:
        raise RuntimeError(f"the two ways come to different costs: {totals}")
    return {name: round(min(times), 2) for name, times in taken.items()}


def late_event(postgres: Postgres, rounds: int) -> float:
    """Return the seconds that rating one hour again takes, with one event more each time, as it is for the database."""
    cause = store.Cause("benchmark", "explicit", prices())
    session = store.open_session(postgres)
    taken = []
    for number in range(rounds + 2):
        hour = START + 5 * HOUR
        session.execute(
            "INSERT INTO billing_event (request_id, auth_id, resource_id, model, prompt_tokens, event_ts) "
            "VALUES (%s, 'late', 'r', 'm0', 9, %s)",
            [f"late-{uuid.uuid4().hex}", hour + timedelta(minutes=number)],
        )
        taken.append(seconds(lambda hour=hour: store.rate_hour(session, hour, cause, keep=True)))
    session.close()
    return round(min(taken), 3)


def rows(postgres: Postgres) -> int:
    with postgres.connect() as connection:
        return int(connection.execute("SELECT count(*) FROM rated_usage").fetchall()[0][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--accounts", type=int, default=1_460)
    parser.add_argument("--small-events", type=int, default=1_000_000)
    parser.add_argument("--small-accounts", type=int, default=26_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wxyc-bench-") as home:
        Path(home).chmod(0o711)  # as root the server runs as another account, which must get in
        server = EmbeddedPostgres(Path(home))
        server.start()
        try:
            many = make_station(server, "many_events", options.events, options.accounts)
            taken = measure(many, options.rounds)
            print(
                json.dumps(
                    {"events": options.events, "rollups": rows(many), **taken}
                    | {
                        "first_to_group_by": round(taken["rated_first_s"] / taken["group_by_s"], 2),
                        "again_to_group_by": round(taken["rated_again_s"] / taken["group_by_s"], 2),
                        "times_faster_first": round(taken["predecessor_first_s"] / taken["rated_first_s"], 1),
                        "times_faster_again": round(taken["predecessor_again_s"] / taken["rated_again_s"], 1),
                        "late_event_s": late_event(many, options.rounds),
                    }
                )
            )
            wide = make_station(server, "many_rollups", options.small_events, options.small_accounts)
            taken = measure(wide, options.rounds)
            print(
                json.dumps(
                    {"events": options.small_events, "rollups": rows(wide), **taken}
                    | {"times_faster_again": round(taken["predecessor_again_s"] / taken["rated_again_s"], 1)}
                )
            )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
