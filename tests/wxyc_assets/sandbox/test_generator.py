"""Generated libraries, plays and billing events: valid rows in the requested shares, and no side effects."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from wxyc_assets.sandbox import generator
from wxyc_assets.sandbox.compilation_generator import generate_compilations

MANY = 20_000  # the generator rebuilds indexes from this count on


def _value(connection, query, parameters=None):
    return connection.execute(query, parameters).fetchone()[0]


def _dangling(connection):
    return _value(
        connection,
        "SELECT count(*) FROM library LEFT JOIN artists ON artists.id = artist_id "
        "LEFT JOIN genres ON genres.id = genre_id LEFT JOIN format ON format.id = format_id "
        "WHERE artists.id IS NULL OR genres.id IS NULL OR format.id IS NULL",
    )


def _objects(connection):
    """Indexes and triggers with their definitions and states."""
    return connection.execute(
        "SELECT pg_get_indexdef(indexrelid), indisvalid::text FROM pg_index WHERE indrelid = ANY ("
        "'{library,artists,flowsheet,library_identity,compilation_track_artist}'::regclass[]) "
        "UNION ALL SELECT pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger ORDER BY 1"
    ).fetchall()


def test_ids_start_after_the_last_one_or_at_first_id(empty_station):
    assert generator.generate_libraries(empty_station, 10) == 10
    assert generator.generate_libraries(empty_station, 5) == 5
    assert generator.generate_libraries(empty_station, 3, first_id=1000) == 3
    ids = [library_id for (library_id,) in empty_station.execute("SELECT id FROM library ORDER BY id")]
    assert ids == [*range(1, 16), 1000, 1001, 1002]
    assert _dangling(empty_station) == 0


def test_later_inserts_get_free_ids(empty_station):
    generator.generate_libraries(empty_station, 10)
    artist_id = _value(
        empty_station,
        "INSERT INTO artists (artist_name, code_letters, alphabetical_name) VALUES ('A', 'A', 'A') RETURNING id",
    )
    library_id = _value(
        empty_station,
        "INSERT INTO library (artist_id, genre_id, format_id, album_title, code_number) "
        "VALUES (%s, 1, 1, 'T', 1) RETURNING id",
        [artist_id],
    )
    assert (artist_id, library_id) == (4, 11)


def test_states_occur_in_the_requested_shares(empty_station):
    generator.generate_libraries(
        empty_station,
        4000,
        canonical_share=0.8,
        stale_identity_share=0.3,
        fresh_identity_share=0.1,
        marker_share=0.5,
    )
    shares = empty_station.execute(
        "SELECT avg((canonical_entity_id IS NOT NULL)::int), avg((age > '8 days')::int), avg((age < '7 days')::int), "
        "avg((unresolved_attempted_at BETWEEN now() - interval '11 days' AND now() - interval '9 days')::int) "
        "FROM (SELECT *, COALESCE(now() - last_verified_at, '7 days 1 hour') AS age FROM library "
        "LEFT JOIN library_identity ON library_id = id) AS rows"
    ).fetchone()
    marked = _value(empty_station, "SELECT count(*) / 4000.0 FROM library WHERE unresolved_attempted_at IS NOT NULL")
    assert [float(share) for share in shares[:3]] == pytest.approx([0.8, 0.3, 0.1], abs=0.03)
    assert float(marked) == pytest.approx(0.5, abs=0.03)


def test_a_share_of_one_or_zero_is_exact(empty_station):
    generator.generate_libraries(empty_station, 500, stale_identity_share=1.0)
    assert _value(empty_station, "SELECT count(canonical_entity_id) FROM library") == 500
    assert _value(empty_station, "SELECT count(*) FROM library_identity") == 500
    assert _value(empty_station, "SELECT count(unresolved_attempted_at) FROM library") == 0


@pytest.mark.parametrize(
    "shares",
    [
        {"canonical_share": 1.1},
        {"marker_share": -0.1},
        {"stale_identity_share": 0.6, "fresh_identity_share": 0.6},
        {"stale_identity_share": float("nan")},
    ],
)
def test_impossible_shares_are_refused_and_add_no_rows(empty_station, shares):
    with pytest.raises(ValueError, match="share"):
        generator.generate_libraries(empty_station, 10, **shares)
    assert _value(empty_station, "SELECT count(*) FROM library") == 0


def test_the_same_seed_gives_the_same_rows(empty_station):
    def made(seed):
        empty_station.execute("TRUNCATE artists, library, library_identity RESTART IDENTITY CASCADE")
        generator.generate_libraries(empty_station, 50, seed=seed, stale_identity_share=0.5)
        return empty_station.execute(
            "SELECT id, artist_name, album_title, library_id FROM library "
            "LEFT JOIN library_identity ON library_id = id ORDER BY id"
        ).fetchall()

    assert made(1) == made(1) != made(2)


def test_names_have_quotes_escapes_and_many_scripts(empty_station):
    generator.generate_libraries(empty_station, 2000)
    names = [name for (name,) in empty_station.execute("SELECT artist_name || ' ' || album_title FROM library")]
    for needed in ("'", '"', "&", "%", "\\", "é", "Дом", "夜明け"):
        assert any(needed in name for name in names), needed
    assert _value(empty_station, "SELECT count(*) = count(DISTINCT artist_name) FROM artists") is True


@pytest.mark.parametrize("count", [100, MANY])
def test_a_load_leaves_objects_and_settings_unchanged(empty_station, count):
    before = _objects(empty_station)
    mark = _value(empty_station, "SELECT last_modified_at FROM library_watermark")
    empty_station.execute("LISTEN cdc")
    generator.generate_libraries(empty_station, count, fresh_identity_share=0.5)
    assert _objects(empty_station) == before
    assert _value(empty_station, "SELECT last_modified_at FROM library_watermark") > mark
    assert list(empty_station.notifies(timeout=0.2)) == []
    assert _value(empty_station, "SHOW session_replication_role") == "origin"
    assert _value(empty_station, "SHOW statement_timeout") == "0"
    assert _value(empty_station, "SELECT reltuples FROM pg_class WHERE oid = 'library'::regclass") == count  # analyzed


def test_rebuilt_indexes_find_the_rows(empty_station):
    generator.generate_libraries(empty_station, MANY)
    title = _value(empty_station, "SELECT album_title FROM library WHERE id = 77")
    with empty_station.transaction():
        empty_station.execute("SET LOCAL enable_seqscan = off")
        found = empty_station.execute("SELECT id FROM library WHERE album_title ILIKE %s", [f"%{title}%"]).fetchall()
    assert (77,) in found


def test_a_failed_load_changes_nothing(empty_station):
    before = _objects(empty_station)
    generator.generate_libraries(empty_station, 1, first_id=MANY)
    with pytest.raises(psycopg.errors.UniqueViolation):
        generator.generate_libraries(empty_station, MANY, first_id=1)
    assert _value(empty_station, "SELECT count(*) FROM library") == 1
    assert _objects(empty_station) == before


def test_a_table_owner_without_superuser_can_generate(empty_station):
    empty_station.execute("DROP ROLE IF EXISTS station_owner")
    empty_station.execute("CREATE ROLE station_owner")
    try:
        before = _objects(empty_station)
        empty_station.execute("GRANT ALL ON SCHEMA wxyc_schema TO station_owner")
        empty_station.execute("GRANT ALL ON ALL TABLES IN SCHEMA wxyc_schema TO station_owner")
        for table in ("artists", "library", "library_identity", "flowsheet", "compilation_track_artist"):
            empty_station.execute(f"ALTER TABLE {table} OWNER TO station_owner")
        empty_station.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA wxyc_schema TO station_owner")
        empty_station.execute("SET ROLE station_owner")
        empty_station.execute("LISTEN cdc")
        assert generator.generate_libraries(empty_station, MANY) == MANY
        assert generator.generate_plays(empty_station, 100) == 100
        assert generate_compilations(empty_station, 400) == 400
        assert list(empty_station.notifies(timeout=0.2)) == []
        assert _objects(empty_station) == before
    finally:
        empty_station.execute("RESET ROLE")
        empty_station.execute("DROP OWNED BY station_owner CASCADE")
        empty_station.execute("DROP ROLE station_owner")


@pytest.mark.parametrize("batch_rows", [24, 50_000])
def test_plays_are_pending_evenly_spread_and_not_live(empty_station, monkeypatch, batch_rows):
    monkeypatch.setattr(generator, "_BATCH_ROWS", batch_rows)
    generator.generate_libraries(empty_station, 100)
    empty_station.execute("UPDATE library SET artist_name = NULL WHERE id <= 20")
    mark = _value(empty_station, "SELECT last_modified_at FROM flowsheet_watermark")
    assert generator.generate_plays(empty_station, 250) == 250
    per_album = empty_station.execute("SELECT album_id, count(*) FROM flowsheet GROUP BY 1 ORDER BY 1").fetchall()
    assert [album_id for album_id, _ in per_album] == list(range(21, 101))
    assert {plays for _, plays in per_album} == {3, 4}
    pending = "entry_type = 'track' AND artist_name IS NOT NULL AND metadata_status = 'pending'"
    assert _value(empty_station, f"SELECT count(*) FROM flowsheet WHERE {pending}") == 250
    assert _value(empty_station, "SELECT now() - max(add_time) > interval '1 hour' FROM flowsheet") is True
    assert _value(empty_station, "SELECT last_modified_at FROM flowsheet_watermark") > mark


def test_plays_need_an_album_with_an_artist(empty_station):
    with pytest.raises(ValueError, match="generate libraries first"):
        generator.generate_plays(empty_station, 1)
    assert generator.generate_plays(empty_station, 0) == 0
    assert generator.generate_libraries(empty_station, 0) == 0


TEN = datetime(2026, 6, 8, 10, tzinfo=UTC)
MODELS = {"b1": None, "b2": "b1", "ft:x": "b1"}
EVENTS = "SELECT md5(string_agg(e::text, E'\\n' ORDER BY request_id)) FROM billing_event e"


def _generate_events(connection, count=6000, **arguments):
    usual = {"first_instant": TEN, "hours": 3, "accounts": 30, "models": MODELS}
    return generator.generate_billing_events(connection, count, **{**usual, **arguments})


def test_events_fill_hours_evenly_with_one_model_per_account(empty_station):
    assert _generate_events(empty_station) == 6000
    hours = empty_station.execute(
        "SELECT date_trunc('hour', event_ts), count(*) FROM billing_event GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert hours == [(TEN + timedelta(hours=place), 2000) for place in range(3)]
    accounts = empty_station.execute(
        "SELECT auth_id, resource_id, count(DISTINCT model) FROM billing_event GROUP BY 1, 2"
    ).fetchall()
    assert len(accounts) == 30
    assert {models for _, _, models in accounts} == {1}
    assert set(empty_station.execute("SELECT DISTINCT model, base_model FROM billing_event")) == set(MODELS.items())
    assert _value(
        empty_station, "SELECT bool_and(prompt_tokens > cached_tokens AND completion_tokens > 0) FROM billing_event"
    )


def test_equal_arguments_add_events_once(empty_station):
    _generate_events(empty_station, odd_share=0.3)
    first = _value(empty_station, EVENTS)
    assert _generate_events(empty_station, odd_share=0.3) == 0
    empty_station.execute("TRUNCATE billing_event")
    _generate_events(empty_station, odd_share=0.3)
    assert _value(empty_station, EVENTS) == first
    assert _generate_events(empty_station, odd_share=0.3, seed=1) == 6000


@pytest.mark.parametrize(
    "oddity",
    [
        "auth_id IS NULL", "resource_id IS NULL", "model IS NULL", "model = 'unknown-model'", "event_ts IS NULL", "aborted",
        "model LIKE 'ft:%' AND base_model = 'unknown-model'", "cached_tokens > prompt_tokens",
        "prompt_tokens + cached_tokens + completion_tokens = 0", "created_at > event_ts + interval '1 day'",
    ],
)  # fmt: skip
def test_odd_events_have_every_kind_in_the_requested_share(empty_station, oddity):
    _generate_events(empty_station, odd_share=0.5)
    assert 0.01 < _value(empty_station, f"SELECT avg(({oddity})::int) FROM billing_event") < 0.15
    empty_station.execute("TRUNCATE billing_event")
    _generate_events(empty_station)
    assert _value(empty_station, f"SELECT count(*) FROM billing_event WHERE {oddity}") == 0


@pytest.mark.parametrize(
    "wrong", [{"odd_share": 1.1}, {"odd_share": -0.1}, {"accounts": 0}, {"hours": 0}, {"models": {}}]
)
def test_impossible_event_arguments_are_refused(empty_station, wrong):
    with pytest.raises(ValueError, match="odd_share is between 0 and 1"):
        _generate_events(empty_station, **wrong)


def test_a_count_of_zero_adds_no_events(empty_station):
    assert _generate_events(empty_station, 0) == 0
