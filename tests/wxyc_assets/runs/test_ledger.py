"""What the ledger records of runs, tallies and rejected inputs, and which libraries are eligible."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.libraries import add_library
from wxyc_assets.runs import ledger
from wxyc_assets.runs.ledger import Rejected

ASSET = "library_identity"


@pytest.fixture
def connection(station):
    with station.connect() as session:
        yield session


def _reject(connection, *kinds, input_id=7, rests=True):
    for kind in kinds:
        ledger.quarantine(connection, ASSET, "run", [Rejected(input_id, kind, "why", "digest", rests=rests)])


def _rows(connection, input_id=7):
    """Kind, failures in a row, whether it is open, and for how long the input rests."""
    return connection.execute(
        "SELECT kind, failures, resolved_at IS NULL, wait_until - last_seen_at FROM wxyc_assets.quarantine "
        "WHERE asset = %s AND input_id = %s ORDER BY kind",
        [ASSET, input_id],
    ).fetchall()


def test_run_is_recorded_from_its_start_to_its_end(connection):
    ledger.begin_run(connection, "r1", ASSET, "routine")
    assert connection.execute("SELECT asset, origin, ended_at FROM wxyc_assets.run").fetchall() == [
        (ASSET, "routine", None)
    ]
    ledger.end_run(connection, "r1", "anomaly", "one \0 thing")
    assert connection.execute(
        "SELECT verdict, reason, ended_at >= started_at FROM wxyc_assets.run WHERE run_id = 'r1'"
    ).fetchall() == [("anomaly", "one \N{REPLACEMENT CHARACTER} thing", True)]


def test_resumed_run_has_not_ended(connection):
    ledger.begin_run(connection, "r1", ASSET, "explicit")
    ledger.end_run(connection, "r1", "failed", "killed")
    ledger.begin_run(connection, "r1", ASSET, "explicit")
    assert connection.execute("SELECT ended_at, verdict, reason FROM wxyc_assets.run").fetchall() == [
        (None, None, None)
    ]


def test_run_records_how_many_discogs_calls_it_expects(connection):
    def left():
        return connection.execute("SELECT run_id, discogs_calls_left FROM wxyc_assets.run ORDER BY 1").fetchall()

    ledger.begin_run(connection, "r1", ASSET, "explicit")
    ledger.begin_run(connection, "r2", ASSET, "explicit")
    assert left() == [("r1", None), ("r2", None)]
    ledger.expect_calls(connection, "r1", 200)
    ledger.expect_calls(connection, "r1", 12.5)
    assert left() == [("r1", 12.5), ("r2", None)]


def test_a_tally_is_absolute_and_goes_with_its_transaction(connection):
    tally = {"asset": ASSET, "partition_key": "3", "run_id": "r1"}
    ledger.write_tally(connection, **tally, counters={"scanned": 500}, complete=False)
    ledger.write_tally(connection, **tally, counters={"scanned": 900}, complete=True)
    with connection.transaction(force_rollback=True):
        ledger.write_tally(connection, **tally, counters={"scanned": 9999}, complete=True)
    assert connection.execute("SELECT counters, complete FROM wxyc_assets.tally").fetchall() == [
        ({"scanned": 900}, True)
    ]


def test_recent_totals_are_of_other_complete_runs_newest_first(connection):
    """Of the given partitions alone, without the run that asks."""

    def walked(run_id, partition_key, scanned, *, asset=ASSET, complete=True):
        counters = {"scanned": scanned}
        ledger.write_tally(
            connection, asset=asset, partition_key=partition_key, run_id=run_id, counters=counters, complete=complete
        )

    walked("r1", "3", 1)
    walked("r2", "3", 2)
    walked("r3", "4", 3)
    walked("r4", "3", 4, complete=False)
    walked("r5", "9", 5)
    walked("r6", "3", 6, asset="album_metadata")
    walked("me", "3", 7)
    recent = ledger.recent_totals(connection, ASSET, ["3", "4"], "me", 10)
    assert [counters["scanned"] for counters in recent] == [3, 2, 1]
    assert len(ledger.recent_totals(connection, ASSET, ["3", "4"], "me", 2)) == 2


def test_the_third_failure_of_a_kind_in_a_row_rests_for_a_day(connection):
    _reject(connection, "contract_violation", "contract_violation")
    assert _rows(connection) == [("contract_violation", 2, True, None)]
    _reject(connection, "contract_violation")
    assert _rows(connection) == [("contract_violation", 3, True, timedelta(days=1))]
    _reject(connection, "contract_violation")
    assert _rows(connection) == [("contract_violation", 4, True, timedelta(days=1))]


def test_another_kind_ends_the_row(connection):
    _reject(connection, "writer_error", "writer_error", "contract_violation", "writer_error", "writer_error")
    assert _rows(connection) == [("contract_violation", 1, False, None), ("writer_error", 2, True, None)]


def test_release_ends_the_row_and_the_rest(connection):
    _reject(connection, *["writer_error"] * 3)
    ledger.release(connection, ASSET, [7, 8])
    assert _rows(connection) == [("writer_error", 3, False, None)]
    _reject(connection, "writer_error")
    assert _rows(connection) == [("writer_error", 1, True, None)]


def test_release_leaves_other_inputs_and_assets_alone(connection):
    _reject(connection, "writer_error")
    ledger.release(connection, ASSET, [8])
    ledger.release(connection, "album_metadata", [7])
    ledger.release(connection, ASSET, [])
    assert _rows(connection) == [("writer_error", 1, True, None)]


def test_failure_of_another_cause_neither_rests_nor_ends_a_row(connection):
    _reject(connection, "contract_violation")
    _reject(connection, *["answers_untrusted"] * 5, rests=False)
    assert _rows(connection) == [("answers_untrusted", 5, True, None), ("contract_violation", 1, True, None)]


def test_a_batch_of_rejects_is_counted_input_by_input(connection):
    batch = [Rejected(1, "writer_error", "a", "d1"), Rejected(2, "contract_violation", "b", "d2")]
    for _ in range(3):
        ledger.quarantine(connection, ASSET, "run", batch)
    ledger.quarantine(connection, ASSET, "run", [])
    assert _rows(connection, 1) == [("writer_error", 3, True, timedelta(days=1))]
    assert _rows(connection, 2) == [("contract_violation", 3, True, timedelta(days=1))]


@pytest.mark.parametrize(
    ("reason", "stored"),
    [
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("é" * 3000, "é" * 2000),
    ],
)
def test_any_reason_is_stored(connection, reason, stored):
    ledger.quarantine(connection, ASSET, "run", [Rejected(7, "writer_error", reason, "digest")])
    assert connection.execute("SELECT reason FROM wxyc_assets.quarantine").fetchone() == (stored,)


def _eligible(connection, as_of=None, *, include_null_canonical=False, recheck=False):
    return {
        library_id
        for (library_id,) in connection.execute(
            "SELECT library_id FROM wxyc_assets.eligible_library(%s, '7 days', '30 days', %s, %s)",
            [as_of or _now(connection), include_null_canonical, recheck],
        )
    }


def _now(connection):
    return connection.execute("SELECT now()").fetchone()[0]


@pytest.fixture
def worked_fixture(connection):
    """The eleven libraries of the contract, in one transaction: their ages are exact at its ``now()``."""
    day = timedelta(days=1)
    with connection.transaction():
        add_library(connection, 1)
        add_library(connection, 2, letters="ZA")
        add_library(connection, 3, letters="ZA", marked=10 * day)
        add_library(connection, 4, letters="ZA", marked=30 * day)
        add_library(connection, 5, canonical=False)
        add_library(connection, 6, canonical=False, letters="ZZ", marked=31 * day)
        add_library(connection, 7, artist_name=None)
        add_library(connection, 8, verified=7 * day)
        add_library(connection, 9, verified=8 * day)
        add_library(connection, 10, canonical=False, verified=8 * day, marked=timedelta(0))
        add_library(connection, 11, letters="za")
        yield _now(connection)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, {1, 2, 9, 11}),
        ({"include_null_canonical": True}, {1, 2, 5, 6, 9, 11}),
        ({"recheck": True}, {3, 4, 6, 10}),
        ({"recheck": True, "include_null_canonical": True}, {3, 4, 6, 10}),
    ],
)
def test_the_worked_fixture_selects_what_the_design_says(connection, worked_fixture, flags, expected):
    assert _eligible(connection, worked_fixture, **flags) == expected


AS_OF = datetime(2026, 3, 29, 2, 30, tzinfo=UTC)  # the hour that Europe's clocks skip
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(("age", "stale"), [(-MICROSECOND, False), (timedelta(0), False), (MICROSECOND, True)])
def test_identity_is_stale_one_microsecond_after_seven_days(connection, age, stale):
    add_library(connection, 1, verified=timedelta(0))
    connection.execute("UPDATE library_identity SET last_verified_at = %s", [AS_OF - timedelta(days=7) - age])
    assert _eligible(connection, AS_OF) == ({1} if stale else set())


@pytest.mark.parametrize(("age", "rested"), [(-MICROSECOND, False), (timedelta(0), False), (MICROSECOND, True)])
@pytest.mark.parametrize("verified", [None, timedelta(days=5000)])
def test_marker_has_rested_one_microsecond_after_thirty_days(connection, age, rested, verified):
    add_library(connection, 1, verified=verified, marked=timedelta(0))
    connection.execute("UPDATE library SET unresolved_attempted_at = %s", [AS_OF - timedelta(days=30) - age])
    assert _eligible(connection, AS_OF) == ({1} if rested else set())


def test_stale_identity_without_canonical_entity_is_eligible(connection):
    add_library(connection, 1, canonical=False, verified=timedelta(days=8))
    add_library(connection, 2, canonical=False, verified=timedelta(days=6))
    assert _eligible(connection) == {1}


@pytest.mark.parametrize("flags", [{}, {"recheck": True}])
def test_a_library_without_an_artist_is_never_eligible(connection, flags):
    add_library(connection, 1, artist_name=None, marked=timedelta(days=90), verified=timedelta(days=90))
    assert _eligible(connection, **flags) == set()


def test_library_is_eligible_again_after_its_rest(connection):
    add_library(connection, 1)
    add_library(connection, 2)
    _reject(connection, *["contract_violation"] * 2, input_id=1)
    assert _eligible(connection) == {1, 2}
    _reject(connection, "contract_violation", input_id=1)
    assert _eligible(connection) == {2}
    assert _eligible(connection, _now(connection) + timedelta(days=1)) == {1, 2}


def test_rest_for_another_asset_does_not_count(connection):
    add_library(connection, 7)
    rejected = [Rejected(7, "no_match", "why", "digest")]
    for _ in range(3):
        ledger.quarantine(connection, "album_metadata", "run", rejected)
    assert _eligible(connection) == {7}
