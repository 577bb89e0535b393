"""Seconds of rating a day, of one plain GROUP BY of the same events, and of the predecessor's way to rate.

Two stations: one has 5,000,000 events in 24 hours that make some 35,000 rollups, the other 1,000,000 events that make some
500,000. Each is rated in two ways, alternately: by the asset's own run (with locks, ledger and tallies, without Dagster), and
by one statement of the predecessor's shape, which joins prices to all events before it groups them and rewrites all rows. Each
way rates first from nothing and then again on unchanged data. The best of several rounds counts, because other work on the
machine can only add to a time. Last, a late event arrives, and the asset rates its hour alone again; then the search for
unbilled usage is timed, the first one, which reads every event, and a later one.

    python -m benchmarks.rated_usage [--events 5000000] [--accounts 1460] [--small-events 1000000] [--small-accounts 26000]
                                     [--rounds 3]
"""

import argparse
import io
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg

from benchmarks.stations import create_station, temporary_server
from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets.assets.price_book.book import Price, PriceBook, Rates
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.run import Request, Tools, run
from wxyc_assets.assets.rated_usage.unbilled.search import find_unbilled, search_window
from wxyc_assets.runs.partitions import HOUR, hour_key
from wxyc_assets.runs.progress import NoProgress
from wxyc_assets.sandbox.generator import generate_billing_events

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
    """Return a price book in which every model of the events, or its base model, has a price."""

    def price(model: str, factor: int) -> Price:
        rates = (Decimal(rate) * factor for rate in ("0.000000150", "0.000000015", "0.000000600"))
        return Price(model, Rates(*rates), "base")

    own = [price(model, 2) for model in MODELS if model != "ft:x"]
    return PriceBook(1, "0" * 64, tuple(own), tuple(price(f"m{number}", 3) for number in range(5)))


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rating_station(server: EmbeddedPostgres, name: str, events: int, accounts: int) -> Postgres:
    """Return a station with the events of one day."""

    def fill(connection: psycopg.Connection) -> None:
        generate_billing_events(
            connection, events, first_instant=START, hours=HOURS, accounts=accounts, models=MODELS, odd_share=0.01
        )
        connection.execute("VACUUM ANALYZE billing_event")

    return create_station(server, name, fill)


def forget(postgres: Postgres) -> None:
    """Delete all ratings, and write everything to disk."""
    with postgres.connect() as connection:
        connection.execute(
            "TRUNCATE rated_usage, wxyc_assets.usage_change, wxyc_assets.tally, wxyc_assets.rated_hour, "
            "wxyc_assets.unbilled_usage"
        )
        connection.execute("CHECKPOINT")


def group_by(postgres: Postgres) -> None:
    """Group the events of the window, and nothing else."""
    with postgres.connect() as connection:
        connection.execute(GROUP_BY, WINDOW)


def predecessor(postgres: Postgres) -> str:
    """Rate the whole window by one statement, on a session with the server's default settings. Returns the total cost."""
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
    request = Request(
        uuid.uuid4().hex, "explicit", [hour_key(START + place * HOUR) for place in range(HOURS)], trailing=1
    )
    log = step_log(tool="benchmark", run_id=request.run_id, stream=io.StringIO())
    tools = Tools(postgres, prices, log, NoProgress())
    report = run(request, tools, lambda _done: None)
    if report.problems:
        raise RuntimeError(report.reason)
    return str(report.total.total_cost)


def measure(postgres: Postgres, rounds: int) -> dict[str, float]:
    """Return the best of several rounds of each way, first from nothing and then again."""
    times: dict[str, list[float]] = defaultdict(list)
    totals: set[str] = set()

    def record(name: str, way: Callable[[Postgres], str]) -> None:
        times[name].append(seconds(lambda: totals.add(way(postgres))))

    for _ in range(rounds):
        times["group_by_s"].append(seconds(lambda: group_by(postgres)))
        for name, way in (("predecessor", predecessor), ("rated", rate)):
            forget(postgres)
            record(f"{name}_first_s", way)
            record(f"{name}_again_s", way)
    if len(totals) != 1:
        raise RuntimeError(f"the two ways give different costs: {totals}")
    return {name: round(min(one), 2) for name, one in times.items()}


def late_event(postgres: Postgres, rounds: int) -> float:
    """Return the seconds of rating one hour again in the database, with one more event each time."""
    cause = store.Cause("benchmark", "explicit", prices())
    hour = START + 5 * HOUR
    session = store.open_session(postgres)
    times = []
    for number in range(rounds + 2):
        session.execute(
            "INSERT INTO billing_event (request_id, auth_id, resource_id, model, prompt_tokens, event_ts) "
            "VALUES (%s, 'late', 'r', 'm0', 9, %s)",
            [f"late-{uuid.uuid4().hex}", hour + timedelta(minutes=number)],
        )
        times.append(seconds(lambda: store.rate_hour(session, hour, cause, commit=True)))
    session.close()
    return round(min(times), 3)


def searches(postgres: Postgres, rounds: int) -> dict[str, float]:
    """Return the seconds of the first search for unbilled usage, which reads every event, and of one after a late event."""
    window = search_window(datetime.now(UTC), 24, START)
    first, later = [], []
    with postgres.connect() as connection:
        for _ in range(rounds):
            connection.execute("UPDATE wxyc_assets.unbilled_watch SET looked_until = NULL, trailing_start = NULL")
            first.append(seconds(lambda: find_unbilled(connection, window)))
            connection.execute(
                "INSERT INTO billing_event (request_id, auth_id, resource_id, model, prompt_tokens, event_ts) "
                "VALUES (%s, 'late', 'r', 'm0', 9, %s)",
                [f"late-{uuid.uuid4().hex}", START + HOUR],
            )
            find_unbilled(connection, window)  # from then on the events are older than the last search
            later.append(seconds(lambda: find_unbilled(connection, window)))
    return {"first_search_s": round(min(first), 2), "search_s": round(min(later), 3)}


def rows(postgres: Postgres) -> int:
    """Return the number of rollups."""
    with postgres.connect() as connection:
        return int(connection.execute("SELECT count(*) FROM rated_usage").fetchall()[0][0])


def main() -> None:
    """Measure both stations, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--accounts", type=int, default=1_460)
    parser.add_argument("--small-events", type=int, default=1_000_000)
    parser.add_argument("--small-accounts", type=int, default=26_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with temporary_server() as (server, _):
        many_events = rating_station(server, "many_events", options.events, options.accounts)
        times = measure(many_events, options.rounds)
        print(
            json.dumps(
                {"events": options.events, "rollups": rows(many_events), **times}
                | {
                    "first_to_group_by": round(times["rated_first_s"] / times["group_by_s"], 2),
                    "again_to_group_by": round(times["rated_again_s"] / times["group_by_s"], 2),
                    "times_faster_first": round(times["predecessor_first_s"] / times["rated_first_s"], 1),
                    "times_faster_again": round(times["predecessor_again_s"] / times["rated_again_s"], 1),
                    "late_event_s": late_event(many_events, options.rounds),
                }
                | searches(many_events, options.rounds)
            )
        )
        many_rollups = rating_station(server, "many_rollups", options.small_events, options.small_accounts)
        times = measure(many_rollups, options.rounds)
        print(
            json.dumps(
                {"events": options.small_events, "rollups": rows(many_rollups), **times}
                | {"times_faster_again": round(times["predecessor_again_s"] / times["rated_again_s"], 1)}
            )
        )


if __name__ == "__main__":
    main()
