"""The candidates, the coverage, and the guarded update."""

import psycopg
import pytest

from tests.wxyc_assets.assets.rotation_identity.harness import in_days, today
from wxyc_assets.assets.rotation_identity.checks import Coverage
from wxyc_assets.assets.rotation_identity.store import candidates, coverage, set_identities
from wxyc_assets.assets.rotation_identity.verdicts import Candidate, Outcome


@pytest.fixture
def connection(empty_rotation):
    with empty_rotation.postgres.connect() as connection:
        yield connection


def candidate_ids(connection):
    return [row.rotation_id for row in candidates(connection).rows]


def test_candidates_are_active_rows_with_release_but_no_identity(connection, empty_rotation):
    """They are sorted by id."""
    empty_rotation.add(30, 3, kill=in_days(1))
    empty_rotation.add(20, 2)
    empty_rotation.add(10, 1, kill=today())
    empty_rotation.add(11, 1, kill=in_days(-1))
    empty_rotation.add(12, None)
    empty_rotation.add(13, 1, has=9)
    assert candidates(connection).rows == [Candidate(20, 2), Candidate(30, 3)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_kill_dates_are_utc_days_in_any_database_time_zone(empty_rotation, zone):
    """One of the two zones is always on another day than UTC."""
    empty_rotation.execute(
        f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO ''{zone}''', current_database()); END $$"
    )
    with psycopg.connect(empty_rotation.postgres.dsn) as theirs:
        assert theirs.execute("SHOW timezone").fetchone() == (zone,)
    empty_rotation.add(1, 1, kill=today())
    empty_rotation.add(2, 2, kill=in_days(1))
    with empty_rotation.postgres.connect() as connection:
        assert candidate_ids(connection) == [2]
        assert coverage(connection).active == 1


def test_a_resting_row_is_counted_but_not_a_candidate(connection, empty_rotation):
    for rotation_id in (1, 2, 3):
        empty_rotation.add(rotation_id, rotation_id)
    empty_rotation.execute(
        "INSERT INTO wxyc_assets.quarantine (asset, input_id, kind, reason, payload_digest, run_id, wait_until) VALUES "
        "('rotation_identity', 1, 'contract_violation', '', '', '', now() + interval '1 hour'), "
        "('rotation_identity', 2, 'contract_violation', '', '', '', now() - interval '1 second'), "
        "('album_metadata', 3, 'contract_violation', '', '', '', now() + interval '1 hour')"
    )
    assert (candidate_ids(connection), candidates(connection).resting) == ([2, 3], 1)


def test_coverage_has_the_contracts_numbers_and_missing_rows(connection, empty_rotation):
    empty_rotation.add(1, 1, has=5)
    empty_rotation.add(2, 2, has=6, kill=in_days(1))
    empty_rotation.add(3, 3)
    empty_rotation.add(
        4, None, has=7
    )  # a row with an identity but no release is active, and neither resolvable nor covered
    empty_rotation.add(5, None)
    empty_rotation.add(6, 6, kill=today())
    empty_rotation.add(7, 7, has=8, kill=in_days(-9))
    assert coverage(connection) == Coverage(5, 3, 2, 66.67, [3])
    for rotation_id in range(100, 130):
        empty_rotation.add(rotation_id, 1)
    assert coverage(connection).missing == [3, *range(100, 119)]


def test_the_percentage_is_none_without_resolvable_rows(connection, empty_rotation):
    assert coverage(connection) == Coverage(0, 0, 0, None, [])
    empty_rotation.add(1, None)
    assert coverage(connection) == Coverage(1, 0, 0, None, [])


def resolved(rotation_id, release, identity_id):
    return Outcome(Candidate(rotation_id, release), "resolved", identity_id)


def test_an_identity_is_set_only_on_an_unchanged_row(connection, empty_rotation):
    for rotation_id in range(1, 6):
        empty_rotation.add(rotation_id, 100 + rotation_id)
    everything = [resolved(rotation_id, 100 + rotation_id, rotation_id) for rotation_id in range(1, 6)]
    empty_rotation.execute("UPDATE rotation SET lml_identity_id = 77 WHERE id = 2")
    empty_rotation.execute("UPDATE rotation SET discogs_release_id = 999 WHERE id = 3")
    empty_rotation.execute("UPDATE rotation SET discogs_release_id = NULL WHERE id = 4")
    empty_rotation.execute("DELETE FROM rotation WHERE id = 5")
    assert set_identities(connection, everything) == {1}
    assert empty_rotation.identities == {1: 1, 2: 77, 3: None, 4: None}


def test_a_row_killed_after_it_was_read_still_gets_its_identity(connection, empty_rotation):
    """The contract asks for it."""
    empty_rotation.add(1, 101)
    empty_rotation.execute("UPDATE rotation SET kill_date = CURRENT_DATE WHERE id = 1")
    assert set_identities(connection, [resolved(1, 101, 9)]) == {1}


def test_only_the_identity_column_changes(connection, empty_rotation):
    empty_rotation.add(1, 101)
    others = "SELECT to_jsonb(r) - 'lml_identity_id' FROM rotation r"
    before = empty_rotation.rows(others)
    set_identities(connection, [resolved(1, 101, 9)])
    assert empty_rotation.rows(others) == before


def test_writing_no_rows_does_not_move_the_librarys_watermark(connection, empty_rotation):
    empty_rotation.add(1, 101)
    watermark = "SELECT last_modified_at FROM library_watermark"
    before = empty_rotation.rows(watermark)
    assert set_identities(connection, []) == set()
    assert empty_rotation.rows(watermark) == before
    set_identities(connection, [resolved(1, 101, 9)])
    assert empty_rotation.rows(watermark) > before  # a real write does, through the station's own trigger
