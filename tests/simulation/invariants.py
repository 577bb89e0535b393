"""The invariants: what holds after every step of a simulation, whatever happened. Each yields what breaks it.

They read the database as an observer and compare it with what LML said, with what the other writers wrote, and with the
reference formula of money (``tests/wxyc_assets/assets/rated_usage/oracle.py``). They use no code of the program.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from tests.simulation.words import name_of
from tests.simulation.world import BILLING_START, DISCOGS_PER_MIN, TRAILING_H, RatedHour, World
from tests.waiting import wait_for
from tests.wxyc_assets.assets.rated_usage.oracle import rate

if TYPE_CHECKING:
    from decimal import Decimal

HOUR = timedelta(hours=1)

Invariant = Callable[[World], Iterator[str]]

BUCKETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "library_identity": (
        "scanned",
        (
            *("resolved", "resolved_compilation", "unresolved", "compilation", "lml_error", "lml_untrusted_library_id"),
            *("lml_cardinality_mismatch", "contract_violation", "lml_refused", "manual_differs", "writer_error"),
        ),
    ),
    "album_metadata": (
        "scanned",
        ("match", "match_untrusted", "no_match", "error", "unexpected_index", "skipped_unresolvable", "deferred"),
    ),
    "flowsheet_enrichment": ("scanned", ("flipped", "overtaken", "locked", "writer_error")),
    "rotation_identity": (
        "scanned",
        ("resolved", "unresolved", "lml_error", "raced", "contract_violation", "writer_error"),
    ),
    "rotation_cache": ("identities_scanned", ("warmed", "not_found", "not_implemented", "lml_error")),
    "rated_usage": (
        "events",
        ("events_rated", "unpriced_events", "unattributable_events", "ambiguous_base_events", "ambiguous_org_events"),
    ),
}
"""What each asset counts, and the buckets of it, as the contract has them."""

SESSIONS_END_S = 20.0


# identities


def identities_are_lmls_word(world: World) -> Iterator[str]:
    """An identity is what LML said of that library, or a librarian's."""
    for library_id, *stored, method, confidence in world.rows(
        "SELECT library_id, wikidata_qid, spotify_id, apple_music_id, method, confidence FROM library_identity"
    ):
        if library_id in world.known.manual:
            continue
        ids = (*stored, method, round(confidence, 5))
        if ids not in world.words.identities[library_id]:
            yield f"library {library_id} has {ids}, LML said {world.words.identities[library_id] or 'nothing'}"


def manual_row(world: World, library_id: int) -> tuple[Any, ...] | None:
    """What a librarian decided of a library, all but the time when LML was asked last."""
    found = world.rows(
        "SELECT wikidata_qid, spotify_id, apple_music_id, method, confidence, notes FROM library_identity "
        "WHERE library_id = %s",
        library_id,
    )
    return found[0] if found else None


def manual_identities_stay(world: World) -> Iterator[str]:
    """What a librarian decided is as the librarian left it."""
    for library_id, decided in world.known.manual.items():
        if (row := manual_row(world, library_id)) != decided:
            yield f"library {library_id} has {row}, a librarian decided {decided}"


def markers_follow_answers(world: World) -> Iterator[str]:
    """A library is marked as not resolved only after LML said so."""
    for (library_id,) in world.rows("SELECT id FROM library WHERE unresolved_attempted_at IS NOT NULL"):
        if library_id not in world.words.resolved_to_none:
            yield f"library {library_id} is marked, LML never said that it cannot resolve it"


# albums


def albums_are_lmls_word(world: World) -> Iterator[str]:
    """Each link of an album is what LML said of an album with one of its names, or another writer's."""
    columns = {
        "artwork_url": "artwork_url",
        "discogs_url": "release_url",
        "spotify_url": "spotify_url",
        "apple_music_url": "apple_music_url",
        "bandcamp_url": "bandcamp_url",
        "release_year": "release_year",
    }
    for album_id, *values in world.rows(f"SELECT album_id, {', '.join(columns)} FROM album_metadata"):
        names = world.known.names[album_id]
        for (column, field), value in zip(columns.items(), values, strict=True):
            said = set().union(*(world.words.albums[name][field] for name in names))
            if value is not None and value not in said | world.known.links[album_id]:
                yield f"album {album_id} has {column} {value!r}, LML said {said or 'nothing'} of {names}"


def other_writers_are_respected(world: World) -> Iterator[str]:
    """No verified link is lost, no link replaced by none, no play marked that is young, claimed or without a match."""
    for what, row_id in world.rows("SELECT what, id FROM violation"):
        yield f"{what}: {row_id}"


def no_match_memory_follows_answers(world: World) -> Iterator[str]:
    """An album is remembered as unknown only after LML said so, or found another album."""
    for album_id, artist, title in world.rows(
        "SELECT album_id, artist_name, album_title FROM wxyc_assets.album_no_match"
    ):
        if name_of(artist, title) not in world.words.unknown_albums:
            yield f"album {album_id} is remembered as unknown, LML never said so of {artist} - {title}"


# rotation


def rotation_is_lmls_word(world: World) -> Iterator[str]:
    """The identity of a rotation row is what LML minted for its release."""
    for row_id, release, identity in world.rows(
        "SELECT id, discogs_release_id, lml_identity_id FROM rotation WHERE lml_identity_id IS NOT NULL"
    ):
        if identity not in world.words.minted[str(release)]:
            yield f"rotation {row_id} has identity {identity}, LML minted {world.words.minted[str(release)]} for {release}"


# money


def hours_cost_what_the_formula_says(world: World) -> Iterator[str]:
    """The bill of each hour is what the reference formula makes of the events that its last rating saw."""
    yield from _note_ratings(world)
    names = (
        *("id", "window_end", "prompt_tokens", "cached_tokens", "completion_tokens", "billable_prompt_tokens", "cost"),
        *("applied_prompt_rate", "applied_cached_rate", "applied_completion_rate", "event_count"),
    )
    stored: dict[datetime, dict[Any, Any]] = {}
    for auth, resource, model, hour, *values in world.rows(
        f"SELECT auth_id, resource_id, model_id, window_start, {', '.join(names)} FROM rated_usage"
    ):
        stored.setdefault(hour, {})[auth, resource, model, hour] = dict(zip(names, values, strict=True))
    for hour in stored.keys() | world.known.rated.keys():
        expected = world.known.rated[hour].expected.rows if hour in world.known.rated else {}
        if stored.get(hour, {}) != expected:
            yield f"hour {hour:%d %H:%M} is billed {stored.get(hour, {})}, the formula says {expected}"


def _note_ratings(world: World) -> Iterator[str]:
    """Take up the hours that were rated since the last look, with the events as they are: none came in between."""
    for hour, rated_at, run_id, digest, events in world.rows(
        "SELECT window_start, rated_at, run_id, price_digest, events FROM wxyc_assets.rated_hour"
    ):
        known = world.known.rated.get(hour)
        if known and (known.rated_at, known.run_id) == (rated_at, run_id):
            continue
        if digest not in world.known.books:
            yield f"hour {hour:%d %H:%M} was rated with prices {digest}, which were never in force"
            continue
        if hour + HOUR > world.clock.now():
            yield f"hour {hour:%d %H:%M} was rated before it had closed"
        effective = world.known.effective.get(world.digest or "")
        if digest != world.digest and (effective is None or hour >= effective):
            yield f"hour {hour:%d %H:%M} was rated with prices {digest}, in force are {world.digest}"
        found = world.events_of(hour)
        if len(found) != events:
            yield f"hour {hour:%d %H:%M} has {len(found)} events, its rating saw {events}"
        expected = rate(found, world.known.books[digest], hour, hour + HOUR)
        seen = frozenset(event["request_id"] for event in found)
        world.known.rated[hour] = RatedHour(rated_at, run_id, digest, seen, expected)


def changes_explain_the_bills(world: World) -> Iterator[str]:
    """The recorded changes, one after the other, lead to the bills as they are."""
    bills: dict[str, tuple[Any, ...] | None] = {}
    for usage_id, kind, before, after in world.rows(
        "SELECT usage_id, kind, (before).cost, (after).cost FROM wxyc_assets.usage_change ORDER BY change_id"
    ):
        if bills.get(usage_id) != before:
            yield f"change of {usage_id} from {before}, it was {bills.get(usage_id)}"
        bills[usage_id] = None if kind == "delete" else after
    stored: dict[str, Decimal] = dict(world.rows("SELECT id, cost FROM rated_usage"))
    changed = {usage_id: cost for usage_id, cost in bills.items() if cost is not None}
    if changed != stored:
        yield f"the changes lead to {changed}, the bills are {stored}"


def usage_is_billed_or_named(world: World) -> Iterator[str]:
    """After a run has looked for it, each event of a closed hour was seen by a rating, is named as unbilled, or accepted."""
    run = world.last_run
    if run is None or run.asset != "rated_usage" or run.report is None or run.report.lost or run.report.dry_run:
        return
    now = world.clock.now()
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    named = {bucket for (bucket,) in world.rows("SELECT bucket FROM wxyc_assets.unbilled_usage")}
    unseen: dict[datetime, set[str]] = {}
    for request_id, hour in world.rows(
        "SELECT request_id, date_trunc('hour', COALESCE(event_ts, created_at), 'UTC') FROM billing_event"
    ):
        rated = world.known.rated.get(hour)
        if (not rated or request_id not in rated.seen) and request_id not in world.known.accepted:
            unseen.setdefault(hour, set()).add(request_id)
    in_trailing = {hour for hour in unseen if this_hour - TRAILING_H * HOUR <= hour < this_hour}
    old = {hour for hour in unseen if BILLING_START <= hour < this_hour - TRAILING_H * HOUR}
    for hour in sorted(old):
        if f"{hour:%Y-%m-%d-%H:%M}" not in named:
            yield f"hour {hour:%d %H:%M} has unbilled events {sorted(unseen[hour])} and is not named: {named}"
    if any(hour >= this_hour + HOUR for hour in unseen) and "future" not in named:
        yield "an event of an hour that has not begun is not named"
    if run.request.origin == "routine" and run.verdict in {"done", "anomaly"}:
        for hour in sorted(in_trailing):
            yield f"the routine run left events {sorted(unseen[hour])} of the trailing hour {hour:%d %H:%M} unbilled"
    names_of_old = {f"{hour:%Y-%m-%d-%H:%M}" for hour in old} | {"before", "future"}
    for bucket in sorted(named - names_of_old):
        yield f"hour {bucket} is named as unbilled, all its events are billed or accepted"


# runs


def one_bucket_per_input(world: World) -> Iterator[str]:
    """Every input that a run counted is in exactly one bucket, in the ledger and in the report."""
    for asset, key, counters in world.rows("SELECT asset, partition_key, counters FROM wxyc_assets.tally"):
        total, buckets = BUCKETS[asset]
        if counters.get(total, 0) != sum(counters.get(bucket, 0) for bucket in buckets):
            yield f"tally of {asset} {key}: {counters}"
    run = world.last_run
    if run is not None and run.report is not None and not run.report.dry_run:
        total, buckets = BUCKETS[run.asset]
        totals = dict(run.report.counters.stored() if run.asset != "rated_usage" else run.report.totals)
        if totals.get(total, 0) != sum(int(totals.get(bucket, 0)) for bucket in buckets):
            yield f"report of {run.asset}: {totals}"


def the_ledger_knows_every_run(world: World) -> Iterator[str]:
    """What a run reports is what its tallies say; a finished run has its verdict in the ledger."""
    run = world.last_run
    if run is None or run.report is None or run.report.dry_run or world.interrupted:
        return
    stored = world.rows("SELECT verdict FROM wxyc_assets.run WHERE run_id = %s", run.run_id)
    if stored != [(run.verdict,)]:
        yield f"{run.asset} ended as {run.verdict}, the ledger says {stored}"
    if run.asset == "rated_usage":
        return
    total, buckets = BUCKETS[run.asset]
    counters = run.report.counters.stored()
    for name in (total, *buckets):
        ((tallied,),) = world.rows(
            "SELECT COALESCE(sum((counters ->> %s)::int), 0) FROM wxyc_assets.tally WHERE run_id = %s", name, run.run_id
        )
        if tallied != counters.get(name, 0):
            yield f"{run.asset} reports {name} {counters.get(name, 0)}, its tallies say {tallied}"


def runs_fail_for_a_reason(world: World) -> Iterator[str]:
    """A run raises only what its documentation names, and fails only if something went wrong around it."""
    run = world.last_run
    if run is None:
        return
    if run.error is not None:
        database_gone = isinstance(run.error, psycopg.OperationalError) and world.interrupted
        no_prices = run.asset == "rated_usage" and type(run.error).__name__ == "PriceFileError" and world.digest is None
        if not (database_gone or no_prices):
            yield f"{run.asset} raised {type(run.error).__name__}: {run.trace}"
    elif run.report is not None and run.verdict == "failed" and not world.interrupted:
        excused = {"rated_usage": not run.report.reason, "flowsheet_enrichment": True}
        if not excused.get(run.asset, world.faults > 0 or world.lml.discogs.suspended):
            yield f"{run.asset} failed without a cause: {run.report.reason}"


def nothing_is_left(world: World) -> Iterator[str]:
    """No session, lock or file of a run outlives it."""
    if world.last_run is None:
        return
    try:
        wait_for(lambda: not world.own_sessions(), "end of the sessions", timeout_s=SESSIONS_END_S, interval_s=0.005)
    except AssertionError:
        yield f"sessions are left: {world.own_sessions()}"
    locks = world.rows(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    if locks:
        yield f"locks are left: {locks}"
    files = {path.name for path in world.folder.iterdir()} - {world.prices_path.name}
    if files:
        yield f"files are left: {files}"


def discogs_is_within_its_budget(world: World) -> Iterator[str]:
    """LML makes at most N + 1 calls to Discogs in any 60 s on account of the program."""
    if world.lml.discogs.log.peak > math.ceil(DISCOGS_PER_MIN) + 1:
        yield f"{world.lml.discogs.log.peak} calls in 60 s, the budget is {DISCOGS_PER_MIN}"


INVARIANTS: Mapping[str, Invariant] = {
    one.__name__: one
    for one in (
        nothing_is_left,
        runs_fail_for_a_reason,
        one_bucket_per_input,
        the_ledger_knows_every_run,
        identities_are_lmls_word,
        manual_identities_stay,
        markers_follow_answers,
        albums_are_lmls_word,
        other_writers_are_respected,
        no_match_memory_follows_answers,
        rotation_is_lmls_word,
        hours_cost_what_the_formula_says,
        changes_explain_the_bills,
        usage_is_billed_or_named,
        discogs_is_within_its_budget,
    )
}


def broken(world: World) -> Iterator[str]:
    """Yield each broken invariant, with what breaks it."""
    for name, invariant in INVARIANTS.items():
        for problem in invariant(world):
            yield f"{name}: {problem}"
