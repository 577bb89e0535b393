"""The station's tables have the live columns, keys, indexes and triggers, and these behave like the live ones."""

import csv
import json
import time
from importlib.resources import files

import psycopg
import pytest

from tests.wxyc_assets.sandbox.queries import value

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'no' ELSE 'yes' END,
    CASE WHEN a.attgenerated = 's' THEN 'generated' ELSE COALESCE(pg_get_expr(d.adbin, d.adrelid), '') END
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND c.relnamespace = ANY ('{wxyc_schema,public}'::regnamespace[])
ORDER BY c.relname, a.attnum
"""

FOREIGN_KEYS = {
    # name: (on delete: a = no action, c = cascade, n = set null; validated)
    "album_metadata_album_id_library_id_fk": ("c", True),
    "compilation_track_artist_library_id_library_id_fk": ("c", True),
    "compilation_track_artist_track_artist_id_artists_id_fk": ("n", True),
    "flowsheet_album_id_library_id_fk": ("n", False),
    "flowsheet_rotation_id_rotation_id_fk": ("n", False),
    "flowsheet_show_id_shows_id_fk": ("n", False),
    "library_artist_id_artists_id_fk": ("a", True),
    "library_format_id_format_id_fk": ("a", True),
    "library_genre_id_genres_id_fk": ("a", True),
    "library_identity_library_id_library_id_fk": ("a", True),
    "library_identity_source_library_id_library_id_fk": ("a", True),
    "rotation_album_id_library_id_fk": ("c", False),
    "show_djs_show_id_shows_id_fk": ("a", True),
}

INDEXES = """
album_artist_trgm_idx album_id_idx album_metadata_pkey artist_id_idx artist_name_trgm_idx artists_fold_name_idx
artists_pkey billing_event_auth_id_created_at_ix billing_event_created_ix billing_event_rating_instant_ix code_letters_idx
compilation_track_artist_pkey cta_artist_name_idx cta_artist_name_trgm_idx cta_library_id_idx cta_track_artist_id_idx
cta_track_title_trgm_idx cta_unique_idx cta_unique_null_track_idx flowsheet_add_time_idx flowsheet_album_id_linked_idx
flowsheet_album_link_lookup_idx flowsheet_album_title_trgm_idx flowsheet_artist_name_trgm_idx flowsheet_entry_type_idx
flowsheet_legacy_entry_id_idx flowsheet_legacy_release_id_idx flowsheet_metadata_status_enriching_stale_idx
flowsheet_metadata_status_pending_idx flowsheet_no_match_recheck_id_desc_idx flowsheet_pkey
flowsheet_record_label_trgm_idx flowsheet_rotation_id_idx flowsheet_rotation_no_match_idx flowsheet_search_doc_idx
flowsheet_show_id_idx flowsheet_show_id_play_order_idx flowsheet_track_add_time_idx flowsheet_track_title_trgm_idx
flowsheet_updated_at_idx flowsheet_watermark_pkey format_id_idx format_pkey genre_id_idx genres_pkey
io_log_auth_id_created_at_ix io_log_body_tsv_ix io_log_created_ix io_log_request_ix library_artist_name_trgm_idx
library_canonical_entity_id_idx library_discogs_unavailable_idx library_identity_audit_idx
library_identity_history_pkey library_identity_pkey library_identity_source_library_id_source_pk
library_legacy_release_id_idx library_norm_album_title_idx library_pkey library_search_doc_idx library_watermark_pkey
io_log_pkey pk_billing_event pk_rated_usage rated_usage_auth_resource_model_window_uq rated_usage_auth_window_ix
rated_usage_window_start_ix rotation_legacy_rotation_id_idx rotation_norm_artist_album_idx rotation_pkey
show_djs_show_id_dj_id_unique shows_legacy_show_id_idx shows_open_start_time_idx shows_pkey title_trgm_idx
"""

INDEX_DEFINITIONS = {
    "artists_fold_name_idx": "btree (fold_artist_name((artist_name)::text))",
    "billing_event_rating_instant_ix": "btree (COALESCE(event_ts, created_at))",
    "cta_unique_null_track_idx": "UNIQUE btree (library_id, artist_name) WHERE (track_title IS NULL)",
    "flowsheet_album_id_linked_idx": "btree (album_id, metadata_attempt_at) WHERE (album_id IS NOT NULL)",
    "flowsheet_metadata_status_pending_idx": (
        "btree (id) WHERE ((entry_type = 'track'::flowsheet_entry_type) AND (artist_name IS NOT NULL) AND "
        "(metadata_status = 'pending'::metadata_status_enum))"
    ),
    "flowsheet_track_add_time_idx": "btree (add_time DESC) WHERE (entry_type = 'track'::flowsheet_entry_type)",
    "library_artist_name_trgm_idx": "gin (artist_name gin_trgm_ops)",
    "library_identity_audit_idx": "btree (confidence, distinct_unresolved_sources DESC)",
    "library_legacy_release_id_idx": "UNIQUE btree (legacy_release_id)",
}

TRIGGERS = {
    "artists": {"cascade_library_artist_name", "cdc_artists", "touch_library_watermark_from_artists"},
    "compilation_track_artist": {
        "cdc_compilation_track_artist",
        "touch_library_watermark_from_compilation_track_artist",
    },
    "flowsheet": {"bump_flowsheet_updated_at", "cdc_flowsheet", "touch_flowsheet_watermark"},
    "library": {"cdc_library", "touch_library_watermark"},
    "rotation": {"cdc_rotation", "touch_library_watermark_from_rotation"},
    "show_djs": {"cdc_show_djs"},
    "shows": {"cdc_shows"},
}


@pytest.fixture
def album(empty_station):
    """The id of an album, the only one of the station."""
    empty_station.execute(
        "INSERT INTO artists (artist_name, code_letters, alphabetical_name) VALUES ('Björk', 'BJ', 'Björk')"
    )
    empty_station.execute("INSERT INTO genres (genre_name) VALUES ('Rock')")
    empty_station.execute("INSERT INTO format (format_name) VALUES ('cd')")
    return value(
        empty_station,
        "INSERT INTO library (artist_id, genre_id, format_id, album_title, code_number, artist_name) "
        "VALUES (1, 1, 1, 'Post', 1, 'Björk') RETURNING id",
    )


def test_columns_are_those_of_the_contract(empty_station):
    text = (files("wxyc_assets.sandbox") / "catalogue" / "columns.csv").read_text(encoding="utf-8")
    expected = [tuple(row.values())[1:] for row in csv.DictReader(text.splitlines())]
    expected.sort(key=lambda row: row[0])  # stable: columns keep their order
    made = [tuple(row) for row in empty_station.execute(COLUMNS)]
    assert made == expected


def test_enums_have_the_live_labels_in_order(empty_station):
    made = empty_station.execute(
        "SELECT n.nspname, t.typname, string_agg(e.enumlabel, ' ' ORDER BY e.enumsortorder) FROM pg_enum e "
        "JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace GROUP BY 1, 2"
    ).fetchall()
    assert set(made) == {
        ("public", "freq_enum", "S L M H"),
        ("wxyc_schema", "metadata_status_enum", "pending enriching enriched_match enriched_no_match failed_no_retry"),
        (
            "wxyc_schema",
            "flowsheet_entry_type",
            "track show_start show_end dj_join dj_leave talkset breakpoint message",
        ),
        (
            "wxyc_schema",
            "discogs_release_id_source_enum",
            (
                "tubafrenzy_paste lml_offline_backfill discogs_direct_backfill library_identity md_verified "
                "recheck_after_unavailable"
            ),
        ),
    }


def test_foreign_keys_have_the_live_delete_actions(empty_station):
    made = empty_station.execute(
        "SELECT conname, confdeltype::text, convalidated FROM pg_constraint WHERE contype = 'f'"
    ).fetchall()
    assert {name: (action, validated) for name, action, validated in made} == FOREIGN_KEYS


def test_indexes_are_the_live_ones(empty_station):
    rows = empty_station.execute(
        "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_class c "
        "WHERE c.relkind = 'i' AND c.relnamespace = ANY ('{wxyc_schema,public}'::regnamespace[])"
    ).fetchall()
    made = {name: ("UNIQUE " if "UNIQUE" in text else "") + text.split(" USING ")[1] for name, text in rows}
    assert sorted(made) == sorted(INDEXES.split())
    assert {name: made[name] for name in INDEX_DEFINITIONS} == INDEX_DEFINITIONS


def test_triggers_are_the_live_ones(empty_station):
    made: dict[str, set[str]] = {}
    for table, name in empty_station.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
    ):
        made.setdefault(table, set()).add(name)
    assert made == TRIGGERS


def test_the_statistics_object_matches_its_index(empty_station):
    statistics, index = empty_station.execute(
        "SELECT pg_get_statisticsobjdef_expressions(oid), "
        "pg_get_indexdef('flowsheet_album_link_lookup_idx'::regclass, 1, false) FROM pg_statistic_ext "
        "WHERE stxname = 'flowsheet_album_link_lookup_stats' AND stxnamespace = 'public'::regnamespace"
    ).fetchone()
    assert [f"({expression})" for expression in statistics] == [index]


def test_any_method_and_any_confidence_in_0_to_1_are_accepted(empty_station, album):
    insert = (
        "INSERT INTO library_identity (library_id, last_verified_at, method, confidence) VALUES (%s, now(), %s, %s)"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        empty_station.execute(insert, (album, "exact_match", 1.01))
    empty_station.execute(insert, (album, "exact_match", 0.3))
    empty_station.execute("UPDATE library_identity SET method = 'of another world', confidence = 0")
    assert value(empty_station, "SELECT distinct_unresolved_sources FROM library_identity") == 8


def test_a_source_without_an_external_id_is_refused(empty_station, album):
    with pytest.raises(psycopg.errors.NotNullViolation):
        empty_station.execute(
            "INSERT INTO library_identity_source VALUES (%s, 'discogs', NULL, 'exact_match', 1, now())", [album]
        )


def test_identities_block_a_delete_and_metadata_cascades(empty_station, album):
    empty_station.execute("INSERT INTO album_metadata (album_id) VALUES (%s)", [album])
    empty_station.execute("INSERT INTO compilation_track_artist (library_id, artist_name) VALUES (%s, 'A')", [album])
    empty_station.execute(
        "INSERT INTO library_identity (library_id, last_verified_at, method, confidence) VALUES (%s, now(), 'llm', 1)",
        [album],
    )
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        empty_station.execute("DELETE FROM library")
    empty_station.execute("DELETE FROM library_identity")
    empty_station.execute("DELETE FROM library")
    assert value(empty_station, "SELECT count(*) FROM album_metadata") == 0
    assert value(empty_station, "SELECT count(*) FROM compilation_track_artist") == 0


def test_a_compilation_has_an_artist_without_title_only_once(empty_station, album):
    insert = "INSERT INTO compilation_track_artist (library_id, artist_name, track_title) VALUES (%s, 'A', %s)"
    empty_station.execute(insert, (album, None))
    empty_station.execute(insert, (album, "T"))
    with pytest.raises(psycopg.errors.UniqueViolation, match="cta_unique_null_track_idx"):
        empty_station.execute(insert, (album, None))


def test_a_url_of_513_characters_is_too_long(empty_station, album):
    insert = "INSERT INTO album_metadata (album_id, spotify_url) VALUES (%s, %s)"
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        empty_station.execute(insert, (album, "u" * 513))
    empty_station.execute(insert, (album, "u" * 512))


def test_the_first_minted_legacy_release_id_is_a_million(empty_station, album):
    assert value(empty_station, "SELECT legacy_release_id FROM library") == 1_000_000


def test_a_second_upsert_in_one_transaction_loses_to_the_first(empty_station, album):
    upsert = (
        "INSERT INTO album_metadata (album_id, label, updated_at) VALUES (%s, %s, now()) "
        "ON CONFLICT (album_id) DO UPDATE SET label = EXCLUDED.label, updated_at = now() "
        "WHERE album_metadata.updated_at < now()"
    )
    with empty_station.transaction():
        assert [empty_station.execute(upsert, (album, label)).rowcount for label in ("first", "second")] == [1, 0]
    assert value(empty_station, "SELECT label FROM album_metadata") == "first"


def _moved(connection, statement, table="library_watermark"):
    """Whether a statement moves a watermark. It sleeps first, because equal clock readings would hide a move."""
    before = value(connection, f"SELECT last_modified_at FROM {table}")
    time.sleep(0.002)
    connection.execute(statement)
    return value(connection, f"SELECT last_modified_at FROM {table}") > before


@pytest.mark.parametrize(
    ("statement", "moves"),
    [
        ("UPDATE library SET unresolved_attempted_at = now()", False),
        ("UPDATE library SET artwork_url = 'x' WHERE id < 0", True),  # no row matches: the trigger is per statement
        ("UPDATE library SET canonical_entity_id = 'x'", True),
        ("UPDATE library SET discogs_unavailable = true", False),
        ("UPDATE artists SET wikidata_qid = 'Q1'", True),
        ("INSERT INTO rotation (rotation_bin) VALUES ('H')", True),
        ("UPDATE rotation SET lml_identity_id = 1", True),
        ("INSERT INTO compilation_track_artist (library_id, artist_name) VALUES (1, 'A')", True),
        ("UPDATE compilation_track_artist SET track_artist_id = 1, track_position = 'A1'", False),
        ("UPDATE compilation_track_artist SET artist_name = 'B'", True),
        ("INSERT INTO album_metadata (album_id) VALUES (1)", False),
        (
            "INSERT INTO library_identity (library_id, last_verified_at, method, confidence) VALUES (1, now(), 'm', 1)",
            False,
        ),
        ("INSERT INTO flowsheet (play_order) VALUES (1)", False),
    ],
)
def test_the_library_watermark_moves_for_visible_changes(empty_station, album, statement, moves):
    assert _moved(empty_station, statement) is moves


def test_the_flowsheet_watermark_moves_a_second_per_statement(empty_station):
    """So it runs ahead of the clock."""
    before = value(empty_station, "SELECT last_modified_at FROM flowsheet_watermark")
    with empty_station.transaction():
        for place in range(5):
            empty_station.execute("INSERT INTO flowsheet (play_order) VALUES (%s)", [place])
    after, now = empty_station.execute("SELECT last_modified_at, now() FROM flowsheet_watermark").fetchone()
    assert after > now
    assert (after - before).total_seconds() >= 5


def test_each_watermark_has_exactly_one_row(empty_station):
    for table in ("library_watermark", "flowsheet_watermark"):
        assert value(empty_station, f"SELECT count(*) FROM {table}") == 1
        with pytest.raises(psycopg.errors.CheckViolation):
            empty_station.execute(f"INSERT INTO {table} (id) VALUES (false)")


def test_the_station_overwrites_updated_at(empty_station):
    insert = "INSERT INTO flowsheet (play_order, updated_at) VALUES (1, '2001-01-01') RETURNING updated_at = now()"
    assert value(empty_station, insert) is True
    assert (
        value(empty_station, "UPDATE flowsheet SET updated_at = '2001-01-01' RETURNING updated_at > '2020-01-01'")
        is True
    )


def test_renaming_an_artist_renames_it_in_the_library(empty_station, album):
    empty_station.execute("UPDATE artists SET artist_name = 'Sugarcubes'")
    assert value(empty_station, "SELECT artist_name FROM library") == "Sugarcubes"
    assert value(empty_station, "SELECT search_doc @@ to_tsquery('simple', 'sugarcubes') FROM library") is True


def test_an_update_that_renames_no_artist_renames_no_album(empty_station, album):
    empty_station.execute("UPDATE library SET artist_name = 'Other'")
    empty_station.execute("UPDATE artists SET artist_name = artist_name")
    assert value(empty_station, "SELECT artist_name FROM library") == "Other"


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Björk", "bjork"),
        ("Sœur É", "sœur e"),
        ("  Two  Spaces ", "  two  spaces "),
        ("e\u0301x\u036fy\u0370", "exy\u0371"),
        (None, ""),
    ],
)
def test_folding_strips_marks_and_case_but_no_spaces(empty_station, name, folded):
    assert value(empty_station, "SELECT fold_artist_name(%s)", [name]) == folded


def _notifications(connection, statement, parameters=None):
    for channel in ("cdc", "cdc_oversized", "cdc_error"):
        connection.execute(f"LISTEN {channel}")
    connection.execute(statement, parameters)
    return [(n.channel, json.loads(n.payload)) for n in connection.notifies(timeout=60, stop_after=1)]


def test_a_change_notifies_its_row(empty_station):
    [(channel, payload)] = _notifications(empty_station, "INSERT INTO shows (show_name) VALUES ('Night')")
    assert channel == "cdc"
    assert payload.keys() == {"table", "schema", "action", "data", "timestamp"}
    assert (payload["schema"], payload["table"], payload["action"]) == ("wxyc_schema", "shows", "INSERT")
    assert payload["data"]["show_name"] == "Night"
    assert abs(payload["timestamp"] - time.time() * 1000) < 600_000  # milliseconds


def test_an_error_of_a_notification_names_itself_and_loses_no_write(empty_station):
    """to_jsonb of a row fails where a cast to json of one of its types does."""
    empty_station.execute("CREATE TYPE broken AS ENUM ('a')")
    empty_station.execute(
        "CREATE FUNCTION fail(broken) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE 'no json' USING ERRCODE = 'WX001'; END $$"
    )
    empty_station.execute("CREATE CAST (broken AS json) WITH FUNCTION fail(broken)")
    empty_station.execute("ALTER TABLE shows ADD COLUMN b broken")
    [(channel, payload)] = _notifications(empty_station, "INSERT INTO shows (b) VALUES ('a')")
    assert channel == "cdc_error"
    assert (payload["table"], payload["sqlstate"], payload["sqlerrm"]) == ("shows", "WX001", "no json")
    assert value(empty_station, "SELECT count(*) FROM shows") == 1


def test_an_oversized_change_notifies_its_key_only(empty_station):
    warnings: list[str] = []
    empty_station.add_notice_handler(lambda notice: warnings.append(f"{notice.severity}: {notice.message_primary}"))
    statement = "INSERT INTO flowsheet (play_order, artist_bio) VALUES (1, %s)"
    [(channel, payload)] = _notifications(empty_station, statement, ["é" * 4000])  # 8,000 bytes in 4,000 characters
    assert channel == "cdc_oversized"
    assert payload.keys() == {"table", "schema", "action", "timestamp", "primary_key", "payload_bytes", "reason"}
    assert (payload["primary_key"], payload["reason"]) == (1, "oversized")
    assert payload["payload_bytes"] > 8000
    assert [w for w in warnings if w.startswith("WARNING")]
    assert value(empty_station, "SELECT count(*) FROM flowsheet") == 1


def test_a_delete_notifies_the_old_row(empty_station):
    empty_station.execute("INSERT INTO shows (show_name) VALUES ('Night')")
    [(_, payload)] = _notifications(empty_station, "DELETE FROM shows")
    assert (payload["action"], payload["data"]["show_name"]) == ("DELETE", "Night")
