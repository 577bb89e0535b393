"""Which old rows of our schema are removed, and which remain for a check, an alert, an explanation or a bill."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wxyc_assets.assets.library_identity.run import RECENT_RUNS
from wxyc_assets.retention import own_tables
from wxyc_assets.retention.own_tables import COMPARED_TALLIES, prune_own_tables
from wxyc_assets.sandbox.generator import generate_libraries

OLD, YOUNG = "now() - interval '100 days'", "now() - interval '89 days'"
SQL = Path(own_tables.__file__).parent / "sql"


@pytest.fixture
def connection(station):
    with station.connect() as connection:
        yield connection


def pruned(connection, *, is_station=True):
    before = datetime.now(UTC) - timedelta(days=90)
    removed = list(prune_own_tables(connection, before, is_station=is_station))
    assert all(one.size > 0 for one in removed if one.count)
    return {one.kind: one.count for one in removed if one.count}


def alert(connection, name, closed_at="NULL", part_of=None):
    ((alert_id,),) = connection.execute(
        "INSERT INTO wxyc_assets.alert (fingerprint, asset, source, kind, severity, message, closed_at, part_of) "
        f"VALUES (%s, 'a', 's', 'run', 'error', 'm', {closed_at}, %s) RETURNING alert_id",
        [name, part_of],
    ).fetchall()
    return alert_id


def names(connection, query):
    return {name for (name,) in connection.execute(query)}


def test_alerts_that_closed_long_ago_are_removed(connection):
    for name, closed in (("open", "NULL"), ("young", YOUNG), ("old", OLD)):
        alert(connection, name, closed)
    assert pruned(connection) == {"alerts": 1}
    assert names(connection, "SELECT fingerprint FROM wxyc_assets.alert") == {"open", "young"}


def test_an_alert_stays_while_a_part_of_it_does(connection):
    """Removing it would remove its parts."""
    cause = alert(connection, "cause", OLD)
    alert(connection, "part of a part", "NULL", alert(connection, "part", OLD, cause))
    alert(connection, "old part", OLD, cause)
    assert pruned(connection) == {"alerts": 1}
    assert names(connection, "SELECT fingerprint FROM wxyc_assets.alert") == {"cause", "part", "part of a part"}


def test_every_alert_is_counted_once_with_its_parts(connection, monkeypatch):
    monkeypatch.setattr(own_tables, "ROWS_AT_ONCE", 2)
    cause = alert(connection, "cause", OLD)
    for number in range(4):
        alert(connection, f"part {number}", OLD, cause)
    before = datetime.now(UTC) - timedelta(days=90)
    removed = [one.count for one in prune_own_tables(connection, before, is_station=True) if one.kind == "alerts"]
    assert removed == [2, 2, 1]


def tally(connection, run, at=OLD, *, asset="library_identity", partition="3", complete=True):
    connection.execute(
        "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, complete, updated_at) "
        f"VALUES (%s, %s, %s, '{{}}', %s, {at})",
        [asset, partition, run, complete],
    )


def test_the_tallies_that_a_check_compares_with_stay(connection):
    assert COMPARED_TALLIES == RECENT_RUNS
    for days in range(100, 110):
        tally(connection, f"{days}", f"now() - interval '{days} days'", complete=days != 102)
    assert pruned(connection) == {"tallies": 5}
    left = names(connection, "SELECT run_id FROM wxyc_assets.tally")
    assert left == {"100", "101", "103", "104", "105"}


def test_the_latest_tally_of_a_partition_stays_even_if_incomplete(connection):
    tally(connection, "complete", "now() - interval '102 days'", asset="album_metadata")
    tally(connection, "older", "now() - interval '103 days'", asset="album_metadata")
    tally(connection, "latest", "now() - interval '101 days'", asset="album_metadata", complete=False)
    assert pruned(connection) == {"tallies": 1}
    assert names(connection, "SELECT run_id FROM wxyc_assets.tally") == {"complete", "latest"}


def test_a_rating_that_changed_a_bill_stays(connection):
    for run, days in (("changed", 103), ("unchanged", 102), ("last", 101)):
        tally(connection, run, f"now() - interval '{days} days'", asset="rated_usage", partition="2026-06-08-10:00")
    connection.execute(
        "INSERT INTO wxyc_assets.usage_change (usage_id, window_start, auth_id, resource_id, model_id, kind, before, run_id, "
        "origin, price_digest) VALUES ('u', '2026-06-08T10:00Z', 'a', 'r', 'm', 'delete', "
        "ROW(NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL)::wxyc_assets.usage_state, 'changed', 'routine', 'd')"
    )
    assert pruned(connection, is_station=False) == {"tallies": 1}
    assert names(connection, "SELECT run_id FROM wxyc_assets.tally") == {"changed", "last"}


def ledger_run(connection, run, at=OLD, *, verdict="done", ended=True):
    connection.execute(
        "INSERT INTO wxyc_assets.run (run_id, asset, origin, started_at, ended_at, verdict) "
        f"VALUES (%s, 'library_identity', 'routine', {at}, {at if ended else 'NULL'}, %s)",
        [run, verdict if ended else None],
    )


def test_runs_of_the_ledger_stay_while_a_row_names_them(connection):
    for run in ("tallied", "answered", "rated", "gone"):
        ledger_run(connection, run, "now() - interval '101 days'")
    ledger_run(connection, "last good")
    ledger_run(connection, "failed", verdict="failed")
    ledger_run(connection, "young", YOUNG, verdict="failed")
    tally(connection, "tallied")
    connection.execute(
        "INSERT INTO wxyc_assets.answer_batch (asset, partition_key, run_id, batch, answers) "
        "VALUES ('a', '1', 'answered', 1, '{}')"
    )
    connection.execute(
        "INSERT INTO wxyc_assets.rated_hour (window_start, rated_at, run_id, price_digest, events, newest_event_at) "
        "VALUES ('2026-06-08T10:00Z', now(), 'rated', 'd', 1, now())"
    )
    assert pruned(connection) == {"ledger_runs": 2}
    assert names(connection, "SELECT run_id FROM wxyc_assets.run") == {
        "tallied",
        "answered",
        "rated",
        "last good",
        "young",
    }


def test_a_killed_run_is_removed_and_one_with_its_lock_is_not(connection):
    ledger_run(connection, "killed", ended=False)
    ledger_run(connection, "alive", ended=False)
    connection.execute("SELECT pg_advisory_lock(hashtextextended('wxyc_assets/run/alive', 0))")
    assert pruned(connection) == {"ledger_runs": 1}
    assert names(connection, "SELECT run_id FROM wxyc_assets.run") == {"alive"}


def test_the_answers_that_stored_rows_come_from_stay(connection):
    generate_libraries(connection, 1, first_id=7)
    connection.execute("INSERT INTO album_metadata (album_id, updated_at) VALUES (7, '2026-01-02T03:04:05.678Z')")
    for asset, at in (
        ("album_metadata", "'2026-01-02T03:04:05.678Z'"),
        ("album_metadata", "'2026-01-02T03:04:05.679Z'"),
        ("album_metadata", YOUNG),
    ):
        connection.execute(
            "INSERT INTO wxyc_assets.answer_batch (asset, partition_key, run_id, batch, answers, written_at) "
            f"VALUES (%s, '7', 'run', 1, '{{}}', {at})",
            [asset],
        )
    connection.execute(
        "INSERT INTO wxyc_assets.replaced_album (album_id, before, replaced_at) "
        f"VALUES (7, '{{}}', {OLD}), (7, '{{}}', {YOUNG})"
    )
    assert pruned(connection) == {"answers": 1, "replaced_albums": 1}


def test_inputs_that_are_still_in_quarantine_stay(connection):
    for input_id, seen, resolved in ((1, OLD, OLD), (2, OLD, "NULL"), (3, YOUNG, OLD), (4, OLD, YOUNG)):
        connection.execute(
            "INSERT INTO wxyc_assets.quarantine "
            "(asset, input_id, kind, reason, payload_digest, run_id, last_seen_at, resolved_at) "
            f"VALUES ('a', {input_id}, 'k', 'r', 'd', 'run', {seen}, {resolved})"
        )
    assert pruned(connection) == {"quarantine": 1}
    assert names(connection, "SELECT input_id FROM wxyc_assets.quarantine") == {2, 3, 4}


def test_a_prune_deletes_from_no_other_table():
    """Everything about money stays for ever, and so does the state of partitions."""
    sources = "".join(path.read_text() for path in SQL.glob("*.sql"))
    ours = set(re.findall(r"DELETE FROM wxyc_assets\.(\w+)", sources))
    assert ours == {"alert", "answer_batch", "heard_run", "quarantine", "replaced_album", "run", "tally"}
    assert re.findall(r"\b(?:UPDATE|TRUNCATE|DROP)\b", sources) == []
