"""The sample station: real data, equal in every database, with every state that an asset has a rule for."""

import csv
import re
from importlib.resources import files

import psycopg
import yaml

from wxyc_assets.sandbox import station
from wxyc_assets.sandbox.lml.refreshes import mint

CATALOGUE = files("wxyc_assets.sandbox") / "catalogue"

# The contract's rule with the default settings: stale after 7 days, another attempt after 30.
STATES = """
SELECT
    count(*) FILTER (WHERE named AND canonical AND age IS NULL AND marked IS NULL) AS never_asked,
    count(*) FILTER (WHERE named AND canonical AND age > '7 days' AND marked IS NULL) AS stale,
    count(*) FILTER (WHERE named AND NOT canonical AND age > '7 days') AS stale_without_canonical,
    count(*) FILTER (WHERE named AND canonical AND age < '7 days') AS fresh,
    count(*) FILTER (WHERE named AND canonical AND age IS NULL AND marked < '30 days') AS waiting,
    count(*) FILTER (WHERE named AND age > '7 days' AND marked < '30 days') AS stale_but_waiting,
    count(*) FILTER (WHERE named AND canonical AND age IS NULL AND marked > '30 days') AS retry_due,
    count(*) FILTER (WHERE named AND NOT canonical AND age IS NULL AND marked > '30 days') AS retry_due_if_null,
    count(*) FILTER (WHERE named AND NOT canonical AND age IS NULL AND marked IS NULL) AS only_if_null,
    count(*) FILTER (WHERE NOT named) AS nameless,
    count(*) FILTER (WHERE unavailable) AS unavailable,
    count(*) FILTER (WHERE letters LIKE 'Z%') AS compilations
FROM (
    SELECT
        artist_name IS NOT NULL AS named, canonical_entity_id IS NOT NULL AS canonical, now() - last_verified_at AS age,
        now() - unresolved_attempted_at AS marked, discogs_unavailable AS unavailable, code_volume_letters AS letters
    FROM library LEFT JOIN library_identity ON library_id = library.id
) AS rows
"""

# Without times, and without results of upper(), lower() and "is a letter", which depend on the locale.
STABLE_COLUMNS = {
    "library": "id, artist_id, genre_id, format_id, album_title, label, artist_name, canonical_entity_confidence",
    "artists": "id, artist_name, alphabetical_name",
    "compilation_track_artist": "library_id, artist_name, track_title, track_position",
    "flowsheet": "show_id, album_id, rotation_id, track_title, artist_name, play_order, entry_type, metadata_status",
    "rotation": "album_id, rotation_bin, discogs_release_id, lml_identity_id",
    "billing_event": "request_id, auth_id, model, prompt_tokens, cached_tokens, completion_tokens",
}


def _one(connection, query):
    return connection.execute(query).fetchone()


def _albums():
    return list(csv.DictReader((CATALOGUE / "albums.csv").read_text(encoding="utf-8").splitlines()))


def test_the_catalogue_has_hundreds_of_distinct_albums():
    albums = _albums()
    assert len(albums) >= 330
    assert [int(album["id"]) for album in albums] == list(range(1, len(albums) + 1))
    assert len({(album["artist"].casefold(), album["title"].casefold()) for album in albums}) == len(albums)
    assert all(1940 <= int(album["year"]) <= 2025 for album in albums)
    assert {
        "Rock", "Jazz", "Hiphop", "Electronic", "World", "Folk", "Soul", "Metal", "Experimental", "Reggae", "Blues",
        "Country",
    } <= {album["genre"] for album in albums}  # fmt: skip


def test_the_catalogue_has_names_in_many_scripts():
    names = " ".join(album["artist"] + album["title"] for album in _albums())
    for script in ("[À-ÿ]", "[Ѐ-ӿ]", "[Ͱ-Ͽ]", "[א-ת]", "[؀-ۿ]", "[぀-ヿ]", "[一-鿿]"):
        assert re.search(script, names), script


def test_albums_spread_evenly_over_the_shards(sample_station):
    counts = [count for (count,) in sample_station.execute("SELECT count(*) FROM library GROUP BY id % 16")]
    assert len(counts) == 16
    assert max(counts) - min(counts) <= 1


def test_every_branch_of_eligibility_occurs(sample_station):
    cursor = sample_station.execute(STATES)
    counts = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
    assert all(count >= 5 for count in counts.values()), counts
    assert counts["never_asked"] > 300


def test_a_week_of_plays_is_pending_and_none_is_live(sample_station):
    plays, pending, oldest_days, newest_age = _one(
        sample_station,
        "SELECT count(*), count(*) FILTER (WHERE metadata_status = 'pending'), "
        "EXTRACT(day FROM now() - min(add_time))::int, now() - max(add_time) > '1 hour' "
        "FROM flowsheet WHERE entry_type = 'track'",
    )
    assert plays >= 1500
    assert pending > plays * 0.8
    assert oldest_days == 7
    assert newest_age is True


def test_shows_are_consecutive_and_contain_their_entries(sample_station):
    assert _one(
        sample_station,
        "SELECT count(*), min(end_time - start_time) = '2 hours', max(end_time - start_time) = '2 hours', "
        "max(end_time) - min(start_time) = '7 days' FROM shows",
    ) == (84, True, True, True)
    assert _one(
        sample_station,
        "SELECT count(*) FROM flowsheet JOIN shows ON shows.id = show_id "
        "WHERE add_time NOT BETWEEN start_time AND end_time",
    ) == (0,)


def test_plays_match_their_albums(sample_station):
    wrong = _one(
        sample_station,
        "SELECT count(*) FROM flowsheet JOIN library ON library.id = album_id JOIN artists ON artists.id = artist_id "
        "WHERE flowsheet.album_title <> library.album_title "
        "OR flowsheet.artist_name <> artists.artist_name AND artists.artist_name <> 'Various Artists'",
    )
    assert wrong == (0,)
    kinds = {kind for (kind,) in sample_station.execute("SELECT DISTINCT entry_type::text FROM flowsheet")}
    assert kinds >= {"track", "show_start", "show_end", "talkset", "breakpoint"}
    states = {state for (state,) in sample_station.execute("SELECT DISTINCT metadata_status::text FROM flowsheet")}
    assert states == {"pending", "enriching", "enriched_match", "enriched_no_match", "failed_no_retry"}


def test_entries_are_in_the_order_of_their_times(sample_station):
    disorder = _one(
        sample_station,
        "SELECT count(*) FROM (SELECT add_time < lag(add_time) OVER (PARTITION BY show_id ORDER BY play_order) AS back "
        "FROM flowsheet) AS entries WHERE back",
    )
    assert disorder == (0,)


def test_the_rotation_has_every_kind_of_row(sample_station):
    active = "(kill_date IS NULL OR kill_date > CURRENT_DATE)"
    for condition in (
        f"{active} AND discogs_release_id IS NULL",
        f"{active} AND discogs_release_id IS NOT NULL AND lml_identity_id IS NULL",
        f"{active} AND lml_identity_id IS NOT NULL",
        f"NOT {active}",
        "kill_date = CURRENT_DATE",
        "kill_date > CURRENT_DATE",
    ):
        assert _one(sample_station, f"SELECT count(*) FROM rotation WHERE {condition}")[0] > 0, condition


def test_rotation_identities_are_those_of_the_sandbox_lml(sample_station):
    rows = sample_station.execute(
        "SELECT discogs_release_id, lml_identity_id FROM rotation WHERE lml_identity_id IS NOT NULL"
    ).fetchall()
    assert dict(rows) == {release: mint("discogs_release", str(release)) for release, _ in rows}


def test_yesterdays_events_are_all_attributable_and_priced(sample_station):
    book = yaml.safe_load((CATALOGUE / "prices.yaml").read_text(encoding="utf-8"))
    bases = set(book["base_models"])
    events, hours, outside, unattributable = _one(
        sample_station,
        "SELECT count(*), count(DISTINCT date_trunc('hour', instant)), "
        "count(*) FILTER (WHERE instant < CURRENT_DATE - 1 OR instant >= CURRENT_DATE), "
        "count(*) FILTER (WHERE auth_id IS NULL OR resource_id IS NULL OR model IS NULL) "
        "FROM (SELECT *, COALESCE(event_ts, created_at) AS instant FROM billing_event) AS events",
    )
    assert (events, hours, outside, unattributable) == (5000, 24, 0, 0)
    models = sample_station.execute("SELECT DISTINCT model, base_model FROM billing_event").fetchall()
    for model, base in models:
        assert model in bases or model in book["fine_tunes"] or (model.startswith("ft:") and base in bases), model
    assert len({model for model, _ in models if model.startswith("ft:") and model not in book["fine_tunes"]}) >= 2
    assert len({model for model, _ in models}) == len(models)  # each fine-tune has one base


def test_prices_are_quoted_plain_decimals():
    book = yaml.safe_load(
        (CATALOGUE / "prices.yaml").read_text(encoding="utf-8")
    )  # it reads an unquoted one as a float
    assert book["version"] == 1
    rates = [rate for model in book["base_models"].values() for rate in model.values()]
    rates += [book["fine_tune_premium"]["factor"], *book["gpu_floor_rates"].values()]
    assert all(isinstance(rate, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", rate) for rate in rates)
    assert all(set(model) == {"prompt", "cached", "completion"} for model in book["base_models"].values())
    assert all(entry["derived_from"] in book["base_models"] for entry in book["fine_tunes"].values())


def test_the_next_album_gets_the_next_id(server, sample_template):
    dsn = server.create_database(template=psycopg.conninfo.conninfo_to_dict(sample_template)["dbname"])
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET search_path TO wxyc_schema, public")
        inserted = connection.execute(
            "INSERT INTO library (artist_id, genre_id, format_id, album_title, code_number) VALUES (1, 1, 1, 'New', 9) "
            "RETURNING id, legacy_release_id"
        ).fetchone()
    server.drop_database(dsn)
    assert inserted == (len(_albums()) + 1, 1_000_000)


def test_samples_are_equal_except_times_in_any_locale(server, sample_station):
    dsn = server.create_database()
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    server.drop_database(dsn)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0")
    with psycopg.connect(dsn, autocommit=True) as other:
        station.create(other, sample=True)
        other.execute("SET search_path TO wxyc_schema, public")
        for table, columns in STABLE_COLUMNS.items():
            query = f"SELECT ({columns})::text FROM {table}"
            assert sorted(other.execute(query)) == sorted(sample_station.execute(query)), table
    server.drop_database(dsn)
