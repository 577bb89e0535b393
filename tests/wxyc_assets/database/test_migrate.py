import threading
import uuid
from dataclasses import replace

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.conninfo import make_conninfo

from resources.postgres import Postgres
from tests.libraries import add_library, verify
from wxyc_assets.database import migrations
from wxyc_assets.database.migrate import migrate
from wxyc_assets.database.revision import MigrationError, require_migrated
from wxyc_assets.sandbox import station as sandbox_station

PASSWORD = "only-for-this-test"
CATALOGUE = """
SELECT 'column', attrelid::regclass::text, attnum::text, attname::text, format_type(atttypid, atttypmod)
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
WHERE relnamespace IN ('wxyc_schema'::regnamespace, 'public'::regnamespace)
UNION ALL SELECT 'class', oid::regclass::text, relkind::text, relowner::regrole::text, COALESCE(relacl::text, '')
FROM pg_class WHERE relnamespace IN ('wxyc_schema'::regnamespace, 'public'::regnamespace)
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname::text, pg_get_triggerdef(t.oid), tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace IN ('wxyc_schema'::regnamespace, 'public'::regnamespace)
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), ''
FROM pg_constraint WHERE connamespace IN ('wxyc_schema'::regnamespace, 'public'::regnamespace)
UNION ALL SELECT 'index', indexrelid::regclass::text, '', pg_get_indexdef(indexrelid), indisvalid::text
FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'wxyc_schema'::regnamespace
UNION ALL SELECT 'function', oid::regprocedure::text, prosrc, '', COALESCE(proacl::text, '')
FROM pg_proc WHERE pronamespace IN ('wxyc_schema'::regnamespace, 'public'::regnamespace)
ORDER BY 1, 2, 3, 4, 5
"""


@pytest.fixture
def bare_station(database):
    """The station's tables without our schema."""
    with psycopg.connect(database, autocommit=True) as connection:
        sandbox_station.create(connection, sample=False)
    return Postgres(database)


@pytest.fixture
def role(server, bare_station):
    """A role that may log in, and no more."""
    name = f"r_{uuid.uuid4().hex}"
    with bare_station.connect() as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), PASSWORD))
        yield name
        admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def _become(postgres, name):
    return replace(postgres, dsn=make_conninfo(postgres.dsn, user=name, password=PASSWORD))


def _tables(postgres):
    with postgres.connect() as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'wxyc_assets'")
        return {name for (name,) in rows}


def _everything_of_ours(postgres):
    with postgres.connect() as connection:
        return connection.execute(
            "SELECT 'class', relname::text FROM pg_class WHERE relnamespace = 'wxyc_assets'::regnamespace "
            "UNION ALL SELECT 'function', proname::text FROM pg_proc WHERE pronamespace = 'wxyc_assets'::regnamespace "
            "UNION ALL SELECT 'type', typname::text FROM pg_type WHERE typnamespace = 'wxyc_assets'::regnamespace "
            "ORDER BY 1, 2"
        ).fetchall()


def test_our_schema_is_made_in_a_database_without_a_station(database):
    assert migrate(Postgres(database)) == (None, migrations.HEAD)
    assert _tables(Postgres(database)) >= {"alembic_version", "alert", "budget", "quarantine", "run", "tally"}


def test_migrating_again_changes_nothing(station):
    before = _everything_of_ours(station)
    assert migrate(station) == (migrations.HEAD, migrations.HEAD)
    assert _everything_of_ours(station) == before


def test_downgrade_leaves_nothing_and_upgrade_restores_all(station):
    made = _everything_of_ours(station)
    assert migrate(station, "base") == (migrations.HEAD, None)
    assert {name for _, name in _everything_of_ours(station)} <= {
        "alembic_version", "_alembic_version", "alembic_version_pkc"
    }  # fmt: skip
    assert migrate(station) == (None, migrations.HEAD)
    assert _everything_of_ours(station) == made


def test_the_revision_that_code_needs_is_the_newest_script():
    config = Config()
    config.set_main_option("script_location", next(iter(migrations.__path__)))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_two_migrations_at_once_take_turns(database):
    results, together = [], threading.Barrier(4)

    def one():
        together.wait()
        results.append(migrate(Postgres(database)))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=str) == [(migrations.HEAD, migrations.HEAD)] * 3 + [(None, migrations.HEAD)]


def test_the_stations_tables_are_left_as_they_are(bare_station):
    def catalogue():
        with bare_station.connect() as connection:
            return connection.execute(CATALOGUE).fetchall()

    before = catalogue()
    assert len(before) > 200
    migrate(bare_station)
    assert catalogue() == before
    migrate(bare_station, "base")
    assert catalogue() == before


def test_role_that_owns_only_our_schema_can_migrate(bare_station, role):
    with bare_station.connect() as admin:
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        admin.execute(sql.SQL("CREATE SCHEMA wxyc_assets AUTHORIZATION {}").format(sql.Identifier(role)))
    assert migrate(_become(bare_station, role)) == (None, migrations.HEAD)
    assert migrate(_become(bare_station, role), "base") == (migrations.HEAD, None)
    assert migrate(_become(bare_station, role)) == (None, migrations.HEAD)


def test_role_without_rights_gets_the_command_to_run(bare_station, role):
    with pytest.raises(MigrationError, match=f"`CREATE SCHEMA wxyc_assets AUTHORIZATION {role}`"):
        migrate(_become(bare_station, role))


@pytest.mark.parametrize("usage", [False, True])
@pytest.mark.parametrize("migrated", [False, True])
def test_role_that_does_not_own_our_schema_is_refused(bare_station, role, usage, migrated):
    """The error says whose DATABASE_URL to use."""
    with bare_station.connect() as admin:
        admin.execute("CREATE SCHEMA wxyc_assets")
        if migrated:
            migrate(bare_station)
        if usage:
            admin.execute(sql.SQL("GRANT USAGE ON SCHEMA wxyc_assets TO {}").format(sql.Identifier(role)))
    with pytest.raises(MigrationError, match=r"does not own schema wxyc_assets.*its owner's DATABASE_URL"):
        migrate(_become(bare_station, role))


def test_a_schema_of_a_newer_program_is_left_alone(station):
    with station.connect() as connection:
        connection.execute("UPDATE wxyc_assets.alembic_version SET version_num = '9999'")
        with pytest.raises(MigrationError, match=f"is at revision 9999, this program needs {migrations.HEAD}"):
            require_migrated(connection)
    with pytest.raises(MigrationError, match=r"9999.*newer program"):
        migrate(station)


def _add_source(connection, source, external_id, age="0"):
    connection.execute(
        "INSERT INTO library_identity_source (library_id, source, external_id, method, confidence, last_verified_at) "
        "VALUES (1, %s, %s, 'exact_match', 1, now() - %s::interval)",
        [source, external_id, age],
    )


def test_view_shows_six_ids_without_those_of_older_answers(station):
    with station.connect() as connection:
        with connection.transaction():
            add_library(connection, 1)
            verify(connection, 1)
            connection.execute(
                "UPDATE library_identity SET wikidata_qid = 'Q1', spotify_id = 's', apple_music_id = 'a'"
            )
            _add_source(connection, "discogs", "4711")
            _add_source(connection, "musicbrainz", "mbid")
            _add_source(connection, "bandcamp", "left-behind", "1 day")
            add_library(connection, 2)
            verify(connection, 2)
        for search_path in ("wxyc_schema, public", "public", "pg_catalog"):
            connection.execute(sql.SQL("SET search_path TO {}").format(sql.SQL(search_path)))
            rows = connection.execute(
                "SELECT library_id, discogs_artist_id, musicbrainz_artist_id, wikidata_qid, spotify_artist_id, "
                "apple_music_artist_id, bandcamp_id FROM wxyc_assets.library_artist_id ORDER BY 1"
            ).fetchall()
            assert rows == [(1, "4711", "mbid", "Q1", "s", "a", None), (2, *[None] * 6)]


def test_the_view_reads_the_station_that_was_configured(database):
    with psycopg.connect(database, autocommit=True) as connection:
        sandbox_station.create(connection, station_schema="Live Station", billing_schema="money", sample=False)
    postgres = replace(Postgres(database), schemas=("Live Station", "money"))
    migrate(postgres)
    with postgres.connect() as connection:
        add_library(connection, 1)
        verify(connection, 1)
        connection.execute("SET search_path TO public")
        assert connection.execute("SELECT library_id FROM wxyc_assets.library_artist_id").fetchall() == [(1,)]
