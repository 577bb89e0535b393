"""Which rows are asked about, what counts as covered, and the guarded update."""

import psycopg
import pytest

from tests.wxyc_assets.rotation_identity.rotations import in_days, today
from wxyc_assets.rotation_identity.findings import Coverage
from wxyc_assets.rotation_identity.store import candidates, coverage, set_identities
from wxyc_assets.rotation_identity.verdicts import Candidate, Outcome


@pytest.fixture
def connection(empty):
    with empty.postgres.connect() as connection:
        yield connection


def asked(connection):
    return [row.rotation_id for row in candidates(connection).rows]


def test_asked_about_are_active_rows_with_a_release_and_without_an_identity_by_id(connection, empty):
    empty.add(30, 3, kill=in_days(1))
    empty.add(20, 2)
    empty.add(10, 1, kill=today())
    empty.add(11, 1, kill=in_days(-1))
    empty.add(12, None)
    empty.add(13, 1, has=9)
    assert candidates(connection).rows == [Candidate(20, 2), Candidate(30, 3)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])  # of which one is always on another day than UTC
def test_the_day_that_kills_a_row_is_the_utc_day_whatever_the_database_thinks(empty, zone):
    empty.execute(
        f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO ''{zone}''', current_database()); END $$"
    )
    with psycopg.connect(empty.postgres.dsn) as theirs:
        assert theirs.execute("SHOW timezone").fetchone() == (zone,)
    empty.add(1, 1, kill=today())
    empty.add(2, 2, kill=in_days(1))
    with empty.postgres.connect() as connection:
        assert asked(connection) == [2]
        assert coverage(connection).active == 1


def test_a_row_that_rests_is_counted_and_not_asked_about_until_its_rest_is_over(connection, empty):
    for rotation_id in (1, 2, 3):
        empty.add(rotation_id, rotation_id)
    empty.execute(
        "INSERT INTO wxyc_assets.quarantine (asset, input_id, kind, reason, payload_digest, run_id, wait_until) VALUES "
        "('rotation_identity', 1, 'contract_violation', '', '', '', now() + interval '1 hour'), "
        "('rotation_identity', 2, 'contract_violation', '', '', '', now() - interval '1 second'), "
        "('album_metadata', 3, 'contract_violation', '', '', '', now() + interval '1 hour')"
    )
    assert (asked(connection), candidates(connection).resting) == ([2, 3], 1)


def test_coverage_has_the_numbers_of_the_contract_and_the_first_rows_that_are_missing(connection, empty):
    empty.add(1, 1, has=5)
    empty.add(2, 2, has=6, kill=in_days(1))
    empty.add(3, 3)
    empty.add(4, None, has=7)  # an identity without a release is active, and neither resolvable nor covered
    empty.add(5, None)
    empty.add(6, 6, kill=today())
    empty.add(7, 7, has=8, kill=in_days(-9))
    assert coverage(connection) == Coverage(5, 3, 2, 66.67, [3])
    for rotation_id in range(100, 130):
        empty.add(rotation_id, 1)
    assert coverage(connection).missing == [3, *range(100, 119)]


def test_of_a_rotation_without_releases_there_is_no_per_cent(connection, empty):
    assert coverage(connection) == Coverage(0, 0, 0, None, [])
    empty.add(1, None)
    assert coverage(connection) == Coverage(1, 0, 0, None, [])


def resolved(rotation_id, release, identity_id):
    return Outcome(Candidate(rotation_id, release), "resolved", identity_id)


def test_an_identity_is_set_only_where_the_row_is_as_it_was_read(connection, empty):
    for rotation_id in range(1, 6):
        empty.add(rotation_id, 100 + rotation_id)
    everything = [resolved(rotation_id, 100 + rotation_id, rotation_id) for rotation_id in range(1, 6)]
    empty.execute("UPDATE rotation SET lml_identity_id = 77 WHERE id = 2")
    empty.execute("UPDATE rotation SET discogs_release_id = 999 WHERE id = 3")
    empty.execute("UPDATE rotation SET discogs_release_id = NULL WHERE id = 4")
    empty.execute("DELETE FROM rotation WHERE id = 5")
    assert set_identities(connection, everything) == {1}
    assert empty.identities == {1: 1, 2: 77, 3: None, 4: None}


def test_a_row_that_was_killed_meanwhile_still_takes_its_identity_as_the_contract_has_it(connection, empty):
    empty.add(1, 101)
    empty.execute("UPDATE rotation SET kill_date = CURRENT_DATE WHERE id = 1")
    assert set_identities(connection, [resolved(1, 101, 9)]) == {1}


def test_nothing_but_the_identity_is_touched(connection, empty):
    empty.add(1, 101)
    others = "SELECT to_jsonb(r) - 'lml_identity_id' FROM rotation r"
    before = empty.rows(others)
    set_identities(connection, [resolved(1, 101, 9)])
    assert empty.rows(others) == before


def test_writing_nothing_does_not_move_the_librarys_watermark(connection, empty):
    empty.add(1, 101)
    watermark = "SELECT last_modified_at FROM library_watermark"
    before = empty.rows(watermark)
    assert set_identities(connection, []) == set()
    assert empty.rows(watermark) == before
    set_identities(connection, [resolved(1, 101, 9)])
    assert empty.rows(watermark) > before  # a real one does, by the station's own trigger
