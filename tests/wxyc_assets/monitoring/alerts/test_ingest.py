"""Runs of Dagster itself, and the alerts that the outbox then has: each run counts once, however often it is ingested."""

import threading
import time
from datetime import timedelta

import dagster as dg
import psycopg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

from tests.fake_dagster_runs import begin
from tests.wxyc_assets.monitoring.alerts.scripted_asset import DEFS
from wxyc_assets.monitoring.alerts import ingest, outbox
from wxyc_assets.orchestration.dry_runs import DRY_RUN_TAG
from wxyc_assets.runs import ledger


def test_a_failed_check_of_a_successful_run_is_an_alert(runs):
    run_id = runs.run(fails=["of_shards"])
    assert runs.instance.get_run_by_id(run_id).is_success
    assert runs.ingest() == 1
    assert runs.alerts() == {"made_up/of_shards": (["0", "1", "2", "3"], 1)}
    ((severity, kind, details, found),) = runs.rows("SELECT severity, kind, details, run_id FROM wxyc_assets.alert")
    assert (severity, kind, details["numbers"], found) == ("error", "check", {"rows": 3}, run_id)


def test_a_run_is_ingested_once(runs):
    runs.run(fails=["of_shards"])
    assert [runs.ingest() for _ in range(3)] == [1, 0, 0]
    assert runs.alerts() == {"made_up/of_shards": (["0", "1", "2", "3"], 1)}


def test_concurrent_ingesters_ingest_a_run_once(runs):
    for _ in range(6):
        runs.run(fails=["of_it_all"])
    counts = []
    threads = [threading.Thread(target=lambda: counts.append(runs.ingest())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 6
    assert runs.alerts() == {"made_up/of_it_all": ([""], 6)}


def test_an_interrupted_ingestion_of_a_run_leaves_nothing_behind(runs, monkeypatch):
    runs.run(fails=["of_shards", "of_it_all"])
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "raise_alert", lambda *_args, **_fields: pytest.fail("stopped"))
        with pytest.raises(pytest.fail.Exception):
            runs.ingest()
    assert runs.rows("SELECT count(*) FROM wxyc_assets.heard_run") == [(0,)]
    assert runs.ingest() == 1
    assert {occurrences for _, occurrences in runs.alerts().values()} == {1}


def test_an_open_alert_counts_failures_until_all_shards_pass(runs):
    """A repeated failure is one more occurrence; the alert closes when every shard of it has passed."""
    runs.run(0, 1, fails=["of_shards"])
    runs.run(2, 3, fails=["of_shards"])
    runs.ingest()
    assert runs.alerts() == {"made_up/of_shards": (["0", "1", "2", "3"], 2)}
    runs.run(1, 3)
    runs.ingest()
    assert runs.alerts() == {"made_up/of_shards": (["0"], 2)}  # shards that passed do not recover the shard that failed
    runs.run(0, 0)
    runs.ingest()
    assert (runs.alerts(), runs.alerts(closed=True)) == ({}, {"made_up/of_shards": ([], 2)})


def test_only_the_shards_that_a_check_names_have_to_recover(runs):
    runs.run(0, 15, fails=["of_shards"], attributed=["2", "11"])
    runs.ingest()
    assert runs.alerts() == {"made_up/of_shards": (["11", "2"], 1)}


def test_a_check_of_the_whole_asset_recovers_in_any_run(runs):
    runs.run(0, 3, fails=["of_it_all"])
    runs.run(9, 9)
    runs.ingest()
    assert (runs.alerts(), list(runs.alerts(closed=True))) == ({}, ["made_up/of_it_all"])


def test_a_failure_after_a_recovery_is_a_new_alert(runs):
    for config in ({"fails": ["of_shards"]}, {}, {"fails": ["of_shards"]}):
        runs.run(0, 0, **config)
    runs.ingest()
    assert (runs.alerts(), runs.alerts(closed=True)) == (
        {"made_up/of_shards": (["0"], 1)}, {"made_up/of_shards": ([], 1)},
    )  # fmt: skip


def test_an_open_alert_keeps_its_highest_severity(runs):
    runs.run(0, 0, fails=["of_it_all"])
    runs.run(0, 0, warns=["of_it_all"])
    runs.ingest()
    assert runs.rows("SELECT severity FROM wxyc_assets.alert") == [("error",)]


def test_a_failed_run_names_its_exception_and_missed_shards(runs):
    runs.run(0, 3, misses=["2"])
    runs.ingest()
    assert runs.alerts() == {"made_up/made_up/Failure": (["2"], 1)}
    ((message,),) = runs.rows("SELECT message FROM wxyc_assets.alert")
    assert message == "made_up: run failed: shards 2 could not be done"


def test_the_root_exception_names_the_run_and_its_checks(runs):
    """The checks that the run could not evaluate are alerts that are part of the run's."""
    runs.run(0, 1, raises="no such album")
    runs.ingest()
    run, *checks = runs.alerts()
    assert run == "made_up/made_up/LookupError"
    assert checks == [f"made_up/{name}/LookupError" for name in ("blocks", "is_watched", "of_it_all", "of_shards")]
    ((message, stack, part_of),) = runs.rows(
        "SELECT message, details ->> 'stack', part_of FROM wxyc_assets.alert WHERE kind = 'run'"
    )
    assert message == "made_up: run failed: no such album"
    assert "RuntimeError: the script failed" in stack
    assert part_of is None
    assert runs.rows(
        "SELECT DISTINCT h.fingerprint FROM wxyc_assets.alert p JOIN wxyc_assets.alert h ON h.alert_id = p.part_of"
    ) == [(run,)]


def test_run_and_checks_recover_with_the_next_good_run(runs):
    runs.run(0, 1, raises="no such album")
    runs.run(0, 1)
    runs.ingest()
    assert (runs.alerts(), len(runs.alerts(closed=True))) == ({}, 5)
    assert runs.rows(
        "SELECT count(*) FROM wxyc_assets.alert WHERE part_of IS NOT NULL AND closing_delivered_at IS NULL"
    ) == [(0,)]  # the recovery of the run is delivered for them too


def test_a_run_failed_by_a_blocking_check_is_part_of_its_alert(runs):
    runs.run(0, 1, fails=["blocks"])
    runs.ingest()
    assert runs.rows("SELECT fingerprint FROM wxyc_assets.alert WHERE part_of IS NULL") == [("made_up/blocks",)]
    assert runs.rows("SELECT fingerprint FROM wxyc_assets.alert WHERE part_of IS NOT NULL") == [
        ("made_up/made_up/DagsterAssetCheckFailedError",)
    ]


@pytest.mark.parametrize("fails", [False, True])
def test_dry_run_raises_no_alert_and_closes_none(runs, fails):
    runs.run(0, 1, fails=["of_shards", "of_it_all"])
    run_id = begin(runs.instance, tags={DRY_RUN_TAG: "true"})
    run = runs.instance.get_run_by_id(run_id)
    if fails:
        runs.instance.report_run_failed(run, "LML is down.")
    else:
        runs.instance.report_dagster_event(DagsterEvent(DagsterEventType.RUN_SUCCESS.value, "job"), run_id)
    assert runs.ingest() == 2
    assert set(runs.alerts()) == {"made_up/of_shards", "made_up/of_it_all"}


def test_a_run_that_failed_before_its_plan_alerts_about_its_job(runs):
    run_id = begin(runs.instance)
    runs.instance.report_run_failed(runs.instance.get_run_by_id(run_id), "The process of this run is gone.")
    assert runs.ingest() == 1
    assert runs.alerts() == {"job/run/RunFailure": ([""], 1)}


def test_a_killed_run_is_an_alert_about_its_planned_partitions(runs):
    job = DEFS.resolve_implicit_global_asset_job_def().get_subset(asset_selection={dg.AssetKey("made_up")})
    run = runs.instance.create_run_for_job(
        job, asset_selection=frozenset({dg.AssetKey("made_up")}), tags={"dagster/partition": "7"},
        run_config={"ops": {"made_up": {"config": {}}}},
    )  # fmt: skip
    runs.instance.report_run_failed(run, "The process of this run is gone.")
    runs.ingest()
    fingerprint, *_ = runs.alerts()
    assert fingerprint == "made_up/run/RunFailure"
    assert runs.alerts()[fingerprint] == (["7"], 1)


def test_secrets_are_not_stored(runs):
    runs.run(0, 0, raises="cannot log in with hunter2-the-secret\0")
    runs.ingest()
    stored = str(runs.rows("SELECT message, details FROM wxyc_assets.alert"))
    assert "hunter2" not in stored
    assert "[redacted]" in stored


def test_credits_and_misses_are_stored_in_our_schema(runs):
    failed, good = runs.run(0, 3, misses=["2"]), runs.run(3, 3)
    runs.ingest()
    rows = runs.rows("SELECT partition_key, credited_run, missed_run FROM wxyc_assets.partition_state ORDER BY 1")
    assert rows == [("0", failed, None), ("1", failed, None), ("2", None, failed), ("3", good, None)]


def test_credits_are_stored_while_their_run_is_in_progress(runs):
    run_id = begin(runs.instance)
    event = dg.AssetMaterialization("made_up", partition="5")
    runs.instance.report_dagster_event(
        DagsterEvent(
            dg.DagsterEventType.ASSET_MATERIALIZATION.value, "job", event_specific_data=StepMaterializationData(event)
        ),
        run_id,
    )
    assert runs.ingest() == 0
    assert runs.rows("SELECT partition_key, credited_run FROM wxyc_assets.partition_state") == [("5", run_id)]


def test_a_backlog_is_ingested_in_portions_by_end_of_run(runs, monkeypatch):
    monkeypatch.setattr(ingest, "MAX_RUNS", 2)
    monkeypatch.setattr(ingest, "PAGE_SIZE", 3)
    for shard in range(5):
        runs.run(shard, shard, fails=["of_shards"] if shard % 2 else [])
    assert [runs.ingest() for _ in range(4)] == [2, 2, 1, 0]
    assert runs.alerts() == {"made_up/of_shards": (["1", "3"], 2)}


def test_a_run_that_becomes_visible_late_is_ingested(runs):
    """Its end has a smaller storage id than that of a run that is ingested already."""
    early, later = runs.run(0, 0, fails=["of_it_all"]), runs.run(1, 1, fails=["of_shards"])
    runs.ingest()
    runs.rows(f"DELETE FROM wxyc_assets.heard_run WHERE run_id = '{early}' RETURNING 1")
    assert runs.ingest() == 1
    assert runs.rows("SELECT count(*) FROM wxyc_assets.heard_run WHERE run_id = '" + later + "'") == [(1,)]


def test_a_run_that_cannot_be_read_is_one_alert_and_stops_no_other(runs):
    """Its events are damaged, or of a future version."""
    damaged, good = runs.run(0, 0, fails=["of_it_all"]), runs.run(1, 1, fails=["of_shards"])
    _damage_events(runs.instance, damaged)
    assert [runs.ingest(), runs.ingest()] == [2, 0]
    assert runs.alerts() == {
        "Dagster/unreadable_run": ([damaged], 1), "made_up/of_shards": (["1"], 1),
    }  # fmt: skip
    assert runs.rows("SELECT run_id FROM wxyc_assets.alert WHERE kind = 'check'") == [(good,)]


@pytest.mark.parametrize("error", [psycopg.DataError("no such number"), ValueError("no such hour"), KeyError("x")])
def test_a_run_that_cannot_be_stored_is_one_alert_too(runs, monkeypatch, error):
    odd = runs.run(0, 0, fails=["of_it_all"])
    real = outbox.raise_alert

    def refuses(connection, alert, *args, **fields):
        if alert.kind == "check":
            raise error
        real(connection, alert, *args, **fields)

    monkeypatch.setattr(outbox, "raise_alert", refuses)
    assert (runs.ingest(), runs.alerts()) == (1, {"Dagster/unreadable_run": ([odd], 1)})


def test_a_database_that_is_gone_loses_no_run(runs, monkeypatch):
    runs.run(0, 0, fails=["of_it_all"])
    with monkeypatch.context() as gone:
        gone.setattr(
            outbox, "raise_alert", lambda *_args, **_fields: (_ for _ in ()).throw(psycopg.OperationalError("gone"))
        )
        with pytest.raises(psycopg.OperationalError):
            runs.ingest()
    assert (runs.ingest(), list(runs.alerts())) == (1, ["made_up/of_it_all"])


def test_a_run_in_progress_that_cannot_be_read_stops_no_other(runs):
    damaged = begin(runs.instance)
    event = StepMaterializationData(dg.AssetMaterialization("made_up", partition="5"))
    runs.instance.report_dagster_event(
        DagsterEvent(dg.DagsterEventType.ASSET_MATERIALIZATION.value, "job", event_specific_data=event), damaged
    )
    _damage_events(runs.instance, damaged)
    runs.run(1, 1, fails=["of_shards"])
    assert runs.ingest() == 1


def _damage_events(instance, run_id):
    with instance.event_log_storage.index_connection() as connection:
        events = SqlEventLogStorageTable
        connection.execute(
            events.update().where(events.c.run_id == run_id).values(event='{"__class__": "FromTheFuture"}')
        )


def test_a_success_that_is_read_before_an_older_failure_opens_nothing(runs):
    older = runs.run(0, 1, misses=["1"], fails=["of_shards"])
    newer = runs.run(0, 1)
    _hide(runs, older)
    assert runs.ingest() == 1
    _show(runs, older)
    assert runs.ingest() == 1
    assert (runs.alerts(), runs.alerts(closed=True)) == ({}, {})
    assert runs.rows("SELECT DISTINCT credited_run FROM wxyc_assets.partition_state") == [(newer,)]


def test_an_older_failure_opens_an_alert_for_what_is_still_failing(runs):
    older = runs.run(0, 3, misses=["1", "3"])
    runs.run(0, 1)
    _hide(runs, older)
    runs.ingest()
    _show(runs, older)
    runs.ingest()
    assert runs.alerts() == {"made_up/made_up/Failure": (["3"], 1)}


def _hide(runs, run_id):
    """As if the transaction that stores the end of the run were not committed yet."""
    runs.rows(f"INSERT INTO wxyc_assets.heard_run (run_id, ended_at) VALUES ('{run_id}', now()) RETURNING 1")


def _show(runs, run_id):
    runs.rows(f"DELETE FROM wxyc_assets.heard_run WHERE run_id = '{run_id}' RETURNING 1")


@pytest.mark.parametrize("skew", [timedelta(hours=1), timedelta(hours=-1)])
def test_clock_skew_of_an_hour_loses_no_run(runs, skew, monkeypatch):
    """The failure and the recovery happen on hosts whose clocks differ."""
    runs.run(0, 0, fails=["of_it_all"])
    runs.ingest()
    runs.rows("UPDATE wxyc_assets.heard_run SET ingested_at = now() - interval '1 hour' RETURNING 1")
    now = time.time
    with monkeypatch.context() as host:
        host.setattr(time, "time", lambda: now() + skew.total_seconds())
        runs.run(1, 1, fails=["of_shards"], misses=["1"])
    assert runs.ingest() == 1
    assert list(runs.alerts()) == ["made_up/of_shards", "made_up/made_up/Failure"]
    runs.run(0, 1)
    runs.ingest()
    assert runs.alerts() == {}
    assert runs.rows(
        "SELECT credited_event_id > missed_event_id FROM wxyc_assets.partition_state WHERE partition_key = '1'"
    ) == [(True,)]


def test_a_new_storage_of_dagster_is_read_from_its_beginning(runs):
    """Its storage ids start at 1, and those that are known are larger."""
    runs.run(0, 0, fails=["of_it_all"])
    runs.ingest()
    runs.rows(
        "UPDATE wxyc_assets.heard_run SET event_id = 1000000, ingested_at = now() - interval '1 hour' RETURNING 1"
    )
    runs.rows("UPDATE wxyc_assets.alert SET last_event_id = 1000000 RETURNING 1")
    runs.run(0, 0)
    assert (runs.ingest(), runs.alerts()) == (1, {})


def test_a_routine_run_that_lml_did_not_answer_tells_the_next_try(runs):
    reason = "LML answered none of the 3 albums asked"
    run_id = runs.run(0, 1, raises=reason)
    with runs.postgres.connect() as connection:
        ledger.begin_run(connection, run_id, "album_metadata", "routine")
        ledger.end_run(connection, run_id, "failed", reason)
        ((ended_at,),) = connection.execute("SELECT ended_at FROM wxyc_assets.run").fetchall()
    runs.ingest()
    assert next(iter(runs.alerts())) == "LML/lml_down"
    columns = "details ->> 'next_try_at', details ->> 'next_try_by'"
    rows = runs.rows(f"SELECT {columns} FROM wxyc_assets.alert WHERE kind <> 'unevaluated'")
    next_try_at = (ended_at + timedelta(minutes=5)).isoformat(timespec="seconds")
    assert rows == [(next_try_at, "after_outage")] * 2
