"""What the tables show of other writers: each writer by its own rows, and never the runs of this project."""

import json

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from resources import sql_files
from tests.libraries import add_library
from wxyc_assets.assets.library_identity.writer import NOTES
from wxyc_assets.cli.doctor_checks import other_writers
from wxyc_assets.cli.doctor_checks.other_writers import IDENTITY_NOTES, LOOKS, check_other_writers, look_for_writers
from wxyc_assets.database.migrate import migrate
from wxyc_assets.database.sessions import Sessions

NONE = "none wrote in the last day, as far as the station's tables show it"
PLAY = (
    "INSERT INTO flowsheet (artist_name, album_title, play_order, album_id, metadata_status, enriching_since, "
    "no_match_recheck_attempted_at) VALUES ('C', 'Edits', 1, 1, {0!r}, {1}, {2})"
)
BILL = (
    "INSERT INTO rated_usage (id, auth_id, resource_id, model_id, window_start, window_end, prompt_tokens, cached_tokens, "
    "completion_tokens, billable_prompt_tokens, cost, event_count, rated_at) "
    "SELECT '1', 'a', 'r', 'm', h - interval '2 hours', h - interval '1 hour', 1, 0, 1, 1, 1, 1, now() "
    "FROM date_trunc('hour', now()) h"
)
RATED = (
    "INSERT INTO wxyc_assets.rated_hour "
    "SELECT date_trunc('hour', now()) - interval '2 hours', now() {0}, 'run', 'digest', 1, now()"
)
LOOKED_UP = (
    "INSERT INTO rotation (rotation_bin, add_date, discogs_release_id_resolve_attempted_at) "
    "VALUES ('H', now() - interval '9 days', now() - interval '3 h')"
)


def play(status, enriching_since="NULL", rechecked="NULL"):
    return PLAY.format(status, enriching_since, rechecked)


def identity(method="exact_match", notes=NOTES, age="1 hour"):
    return (
        "INSERT INTO library_identity (library_id, last_verified_at, method, confidence, notes) "
        f"VALUES (1, now() - interval '{age}', '{method}', 1, '{notes}')"
    )


def our_run(asset, began="2 hours", ended="30 minutes"):
    return (
        "INSERT INTO wxyc_assets.run (run_id, asset, origin, started_at, ended_at) "
        f"VALUES ('run', '{asset}', 'routine', now() - interval '{began}', now() - interval '{ended}')"
    )


@pytest.fixture
def look(station, diagnoses_of):
    """Executes statements on a station whose only album is two days old, and returns what the check says by table."""
    with station.connect() as connection:
        add_library(connection, 1)
        connection.execute("UPDATE library SET add_date = now() - interval '2 days'")

    def look(*statements):
        with station.connect() as connection:
            for statement in statements:
                connection.execute(statement)
        found = diagnoses_of(check_other_writers, DATABASE_URL=station.dsn)
        assert all(diagnosis.ok for diagnosis in found.values())
        return {name.removeprefix("other writers of "): diagnosis for name, diagnosis in found.items()}

    return look


def test_a_station_that_is_left_alone_says_so(look):
    assert [diagnosis.says for diagnosis in look().values()] == [NONE]


@pytest.mark.parametrize(
    ("statement", "table", "says"),
    [
        (play("enriching", "now() - interval '40 s'"), "flowsheet", "1 plays are claimed, the last 40 s ago: the enrichment"),
        (play("enriched_no_match"), "flowsheet", "1 plays without a match changed, the last 0 s ago: the enrichment worker or"),
        (play("enriched_match"), "flowsheet", "1 plays with a match changed outside of our runs"),
        (
            play("enriched_no_match", rechecked="now() - interval '5 h'"),
            "flowsheet",
            "1 plays were asked about again, the last 5 h ago: the no-match recheck",
        ),
        (
            play("pending") + "; INSERT INTO album_metadata (album_id, updated_at) VALUES (1, now() - interval '3 min')",
            "album_metadata",
            "1 albums of plays were written outside of our runs, the last 3 min ago: the enrichment worker",
        ),
        (identity("manual"), "library_identity", "1 identities were decided by hand, the last 60 min ago: a librarian"),
        (identity(notes="by hand"), "library_identity", "1 identities carry the notes of another program"),
        (identity(), "library_identity", "1 identities were verified outside of our runs"),
        ("UPDATE library SET add_date = now() - interval '3 h'", "library and rotation", "1 albums were added to the library"),
        (
            "UPDATE library SET canonical_entity_resolved_at = now() - interval '3 h'",
            "library and rotation",
            "1 of the newest albums got a canonical entity, the last 3 h ago: the canonical-entity backfill",
        ),
        (
            LOOKED_UP,
            "library and rotation",
            "1 releases in rotation were looked up, the last 3 h ago: the rotation release-id backfill",
        ),
        (BILL, "rated_usage", "1 bills are newer than our rating of their hour, the last 0 s ago: an unknown writer"),
    ],
)  # fmt: skip
def test_each_writer_is_named_by_its_rows(look, statement, table, says):
    assert says in look(statement)[table].says


@pytest.mark.parametrize(
    "statements",
    [
        (play("enriched_match"), our_run("flowsheet_enrichment", ended="0 s")),
        (
            play("pending"),
            "INSERT INTO album_metadata (album_id, updated_at) VALUES (1, now() - interval '1 hour')",
            our_run("album_metadata"),
        ),
        (identity(), our_run("library_identity")),
        (BILL, RATED.format("+ interval '1 s'")),
        (play("enriching", "now() - interval '2 days'"),),
        (identity(age="25 hours"),),
    ],
)
def test_our_own_runs_and_older_rows_are_no_other_writer(look, statements):
    assert [diagnosis.says for diagnosis in look(*statements).values()] == [NONE]


def test_a_killed_run_wrote_until_its_last_tally(look):
    """Its row has no end, and must not hide what others write ever after."""
    killed = our_run("library_identity").replace("now() - interval '30 minutes')", "NULL)")
    tally = "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, updated_at) "
    earlier = tally + "VALUES ('library_identity', '1', 'run', '{}', now() - interval '90 minutes')"
    assert "library_identity" in look(identity(), killed, earlier)
    assert look("UPDATE wxyc_assets.tally SET updated_at = now()")["other writers"].says == NONE


@pytest.mark.parametrize(
    ("statement", "table", "job"),
    [
        (BILL, "rated_usage", "rater"),
        (identity(), "library_identity", "library-identity-consumer"),
        (
            play("pending") + "; INSERT INTO album_metadata (album_id) VALUES (1)",
            "album_metadata",
            "album-level-backfill",
        ),
    ],
)
def test_rows_of_a_job_that_is_still_on_name_the_job(look, statement, table, job):
    assert look(statement)[table].advice.startswith(f"is the cron job {job} still on?")


def test_a_bill_newer_than_our_rating_is_another_raters(look):
    assert "rated_usage" in look(BILL, RATED.format("- interval '1 min'"))


def test_a_station_without_billing_is_looked_at(look):
    found = look("DROP TABLE rated_usage, billing_event CASCADE", play("enriching", "now()"))
    assert list(found) == ["flowsheet"]


def test_bills_are_looked_at_in_the_database_of_billing(look, station, diagnoses_of, server, station_template):
    dsn = server.create_database(template=str(conninfo_to_dict(station_template)["dbname"]))
    with psycopg.connect(dsn, autocommit=True) as billing:
        billing.execute(BILL)
    look("DROP TABLE rated_usage, billing_event CASCADE")
    found = diagnoses_of(check_other_writers, DATABASE_URL=station.dsn, BILLING_DATABASE_URL=dsn)
    assert list(found) == ["other writers of rated_usage"]
    server.drop_database(dsn)
    found = diagnoses_of(check_other_writers, DATABASE_URL=station.dsn, BILLING_DATABASE_URL=dsn)
    assert list(found) == ["other writers"]  # check_database reports that database


def test_a_table_that_takes_too_long_is_named(look, station, monkeypatch):
    monkeypatch.setattr(other_writers, "TIMEOUT_MS", 200)
    with station.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE library_identity")
        assert look()["library_identity"].says == "could not be looked for: reading takes more than 0.2 s"


def test_no_schema_of_ours_is_another_checks_matter(diagnoses_of, station, tmp_path):
    assert diagnoses_of(check_other_writers, WXYC_HOME=str(tmp_path)) == {}
    migrate(station, "base")
    assert diagnoses_of(check_other_writers, DATABASE_URL=station.dsn) == {}


def test_a_role_that_may_not_read_a_table_learns_of_the_others(look, station):
    look(identity("manual"), play("enriching", "now()"))
    with station.connect() as connection:
        connection.execute("CREATE ROLE other_writers_test")
        try:
            connection.execute("GRANT USAGE ON SCHEMA wxyc_schema, wxyc_assets TO other_writers_test")
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA wxyc_assets TO other_writers_test")
            connection.execute("GRANT SELECT ON library_identity TO other_writers_test")
            connection.execute("SET ROLE other_writers_test")
            assert [found.name for found in look_for_writers(Sessions(connection, connection))] == [
                "other writers of library_identity"
            ]
        finally:
            connection.execute("RESET ROLE")
            connection.execute("DROP OWNED BY other_writers_test")
            connection.execute("DROP ROLE other_writers_test")


def test_notes_are_those_of_library_identity():
    assert IDENTITY_NOTES == NOTES


@pytest.mark.parametrize("statement", [look.statement for look in LOOKS if look.table != "library_identity"])
def test_looks_read_by_index_or_a_limited_number_of_rows(station, statement):
    """On a station with more rows than are read; library_identity has no index by time and is bounded in time."""
    parameters = {"began": [], "ended": [], "row_limit": 5, "notes": ""}
    with station.connect() as connection:
        add_library(connection, 1)
        connection.execute(
            "INSERT INTO flowsheet (artist_name, play_order, album_id) SELECT 'C', 1, 1 FROM generate_series(1, 2000)"
        )
        connection.execute("INSERT INTO rotation (rotation_bin) SELECT 'H' FROM generate_series(1, 2000)")
        connection.execute("ANALYZE")
        connection.execute("SET enable_seqscan TO off")
        query = b"EXPLAIN (FORMAT json) " + sql_files.load("wxyc_assets.cli", statement)
        ((plan,),) = connection.execute(query, parameters).fetchall()
    text = json.dumps(plan)
    sequential = {node["Relation Name"] for node in nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"}
    assert sequential <= {"rated_hour"}, text


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
