"""Runs of Dagster itself, and what the outbox then says: opened once, folded, taken back, whoever listens how often."""

import threading
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, StepMaterializationData

from tests.runs import begin
from tests.wxyc_assets.alerts.made_up import DEFS, Heard
from wxyc_assets.alerts import hearing
from wxyc_assets.alerts.reading import SCOPE, scopes_of


@pytest.fixture
def heard(instance, station):
    return Heard(instance, station)


def test_a_check_that_fails_in_a_green_run_is_an_alert_with_its_numbers(heard):
    run_id = heard.run(fails=["of_shards"])
    assert heard.instance.get_run_by_id(run_id).is_success
    assert heard.listen() == 1
    assert heard.alerts() == {"made_up/of_shards": (["0", "1", "2", "3"], 1)}
    ((severity, kind, details, found),) = heard.rows("SELECT severity, kind, details, run_id FROM wxyc_assets.alert")
    assert (severity, kind, details["numbers"], found) == ("error", "check", {"rows": 3}, run_id)


def test_a_run_is_heard_once_however_often_somebody_listens(heard):
    heard.run(fails=["of_shards"])
    assert [heard.listen() for _ in range(3)] == [1, 0, 0]
    assert heard.alerts() == {"made_up/of_shards": (["0", "1", "2", "3"], 1)}


def test_a_run_is_heard_once_by_many_that_listen_at_the_same_time(heard):
    for _ in range(6):
        heard.run(fails=["of_it_all"])
    counts = []
    threads = [threading.Thread(target=lambda: counts.append(heard.listen())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 6
    assert heard.alerts() == {"made_up/of_it_all": ([""], 6)}


def test_a_listener_that_is_stopped_in_the_midst_of_a_run_has_heard_nothing_of_it(heard, monkeypatch):
    heard.run(fails=["of_shards", "of_it_all"])
    with monkeypatch.context() as broken:
        broken.setattr(hearing.outbox, "raise_alert", lambda *_args, **_fields: pytest.fail("stopped"))
        with pytest.raises(pytest.fail.Exception):
            heard.listen()
    assert heard.rows("SELECT count(*) FROM wxyc_assets.heard_run") == [(0,)]
    assert heard.listen() == 1
    assert {occurrences for _, occurrences in heard.alerts().values()} == {1}


def test_an_alert_that_is_open_folds_what_comes_again_and_is_closed_when_all_of_it_is_good(heard):
    heard.run(0, 1, fails=["of_shards"])
    heard.run(2, 3, fails=["of_shards"])
    heard.listen()
    assert heard.alerts() == {"made_up/of_shards": (["0", "1", "2", "3"], 2)}
    heard.run(1, 3)
    heard.listen()
    assert heard.alerts() == {"made_up/of_shards": (["0"], 2)}  # the good shards of today say nothing of the bad one
    heard.run(0, 0)
    heard.listen()
    assert (heard.alerts(), heard.alerts(closed=True)) == ({}, {"made_up/of_shards": ([], 2)})


def test_only_the_shards_to_blame_have_to_recover_where_a_check_names_them(heard):
    heard.run(0, 15, fails=["of_shards"], blamed=["2", "11"])
    heard.listen()
    assert heard.alerts() == {"made_up/of_shards": (["11", "2"], 1)}


def test_a_check_of_the_whole_asset_is_recovered_by_any_run_that_it_passes_in(heard):
    heard.run(0, 3, fails=["of_it_all"])
    heard.run(9, 9)
    heard.listen()
    assert (heard.alerts(), list(heard.alerts(closed=True))) == ({}, ["made_up/of_it_all"])


def test_what_comes_after_a_recovery_is_an_alert_of_its_own(heard):
    for orders in ({"fails": ["of_shards"]}, {}, {"fails": ["of_shards"]}):
        heard.run(0, 0, **orders)
    heard.listen()
    assert (heard.alerts(), heard.alerts(closed=True)) == (
        {"made_up/of_shards": (["0"], 1)}, {"made_up/of_shards": ([], 1)},
    )  # fmt: skip


def test_an_open_alert_keeps_its_worst_severity(heard):
    heard.run(0, 0, fails=["of_it_all"])
    heard.run(0, 0, warns=["of_it_all"])
    heard.listen()
    assert heard.rows("SELECT severity FROM wxyc_assets.alert") == [("error",)]


def test_a_failed_run_names_the_root_of_it_and_the_shards_that_it_missed(heard):
    heard.run(0, 3, misses=["2"])
    heard.listen()
    assert heard.alerts() == {"made_up/made_up/Failure": (["2"], 1)}
    ((message,),) = heard.rows("SELECT message FROM wxyc_assets.alert")
    assert message == "made_up: run failed: shards 2 could not be done"


def test_an_exception_is_named_by_the_one_at_its_root_and_takes_its_checks_along(heard):
    heard.run(0, 1, raises="no such album")
    heard.listen()
    run, *checks = heard.alerts()
    assert run == "made_up/made_up/LookupError"
    assert checks == [f"made_up/{name}/LookupError" for name in ("blocks", "is_watched", "of_it_all", "of_shards")]
    ((message, stack, part_of),) = heard.rows(
        "SELECT message, details ->> 'stack', part_of FROM wxyc_assets.alert WHERE kind = 'run'"
    )
    assert message == "made_up: run failed: no such album"
    assert "RuntimeError: it went wrong" in stack
    assert part_of is None
    assert heard.rows(
        "SELECT DISTINCT h.fingerprint FROM wxyc_assets.alert p JOIN wxyc_assets.alert h ON h.alert_id = p.part_of"
    ) == [(run,)]


def test_the_run_and_the_checks_recover_with_the_next_good_run(heard):
    heard.run(0, 1, raises="no such album")
    heard.run(0, 1)
    heard.listen()
    assert (heard.alerts(), len(heard.alerts(closed=True))) == ({}, 5)
    assert heard.rows(
        "SELECT count(*) FROM wxyc_assets.alert WHERE part_of IS NOT NULL AND closing_delivered_at IS NULL"
    ) == [(0,)]  # the word that the run has recovered is theirs too


def test_a_failed_blocking_check_tells_of_the_run_that_it_failed(heard):
    heard.run(0, 1, fails=["blocks"])
    heard.listen()
    assert heard.rows("SELECT fingerprint FROM wxyc_assets.alert WHERE part_of IS NULL") == [("made_up/blocks",)]
    assert heard.rows("SELECT fingerprint FROM wxyc_assets.alert WHERE part_of IS NOT NULL") == [
        ("made_up/made_up/DagsterAssetCheckFailedError",)
    ]


def test_a_dry_run_that_passes_closes_nothing(heard):
    heard.run(0, 1, fails=["of_shards", "of_it_all"])
    heard.run(0, 1, dry_run=True)
    heard.listen()
    assert set(heard.alerts()) == {"made_up/of_shards", "made_up/of_it_all"}


def test_a_run_that_failed_before_it_was_to_do_anything_is_an_alert_about_its_job(heard):
    run_id = begin(heard.instance)
    heard.instance.report_run_failed(heard.instance.get_run_by_id(run_id), "The process of this run is gone.")
    assert heard.listen() == 1
    assert heard.alerts() == {"job/run/RunFailure": ([""], 1)}


def test_a_run_of_ours_that_was_killed_is_an_alert_about_what_it_was_to_do(heard):
    job = DEFS.resolve_implicit_global_asset_job_def().get_subset(asset_selection={dg.AssetKey("made_up")})
    run = heard.instance.create_run_for_job(
        job, asset_selection=frozenset({dg.AssetKey("made_up")}), tags={"dagster/partition": "7"},
        run_config={"ops": {"made_up": {"config": {}}}},
    )  # fmt: skip
    heard.instance.report_run_failed(run, "The process of this run is gone.")
    heard.listen()
    fingerprint, *_ = heard.alerts()
    assert fingerprint == "made_up/run/RunFailure"
    assert heard.alerts()[fingerprint] == (["7"], 1)


def test_secrets_are_not_kept(heard):
    heard.run(0, 0, raises="cannot log in with hunter2-the-secret\0")
    heard.listen()
    kept = str(heard.rows("SELECT message, details FROM wxyc_assets.alert"))
    assert "hunter2" not in kept
    assert "[redacted]" in kept


def test_credits_and_misses_are_known_without_dagster(heard):
    failed, good = heard.run(0, 3, misses=["2"]), heard.run(3, 3)
    heard.listen()
    rows = heard.rows("SELECT partition_key, credited_run, missed_run FROM wxyc_assets.partition_state ORDER BY 1")
    assert rows == [("0", failed, None), ("1", failed, None), ("2", None, failed), ("3", good, None)]


def test_credits_are_known_while_their_run_goes_on(heard):
    run_id = begin(heard.instance)
    event = dg.AssetMaterialization("made_up", partition="5")
    heard.instance.report_dagster_event(
        DagsterEvent(
            dg.DagsterEventType.ASSET_MATERIALIZATION.value, "job", event_specific_data=StepMaterializationData(event)
        ),
        run_id,
    )
    assert heard.listen() == 0
    assert heard.rows("SELECT partition_key, credited_run FROM wxyc_assets.partition_state") == [("5", run_id)]


def test_more_runs_than_one_look_takes_are_heard_in_several_in_the_order_of_their_ends(heard, monkeypatch):
    monkeypatch.setattr(hearing, "RUNS_AT_ONCE", 2)
    monkeypatch.setattr(hearing, "PAGE", 3)
    for shard in range(5):
        heard.run(shard, shard, fails=["of_shards"] if shard % 2 else [])
    assert [heard.listen() for _ in range(4)] == [2, 2, 1, 0]
    assert heard.alerts() == {"made_up/of_shards": (["1", "3"], 2)}


def test_a_run_that_came_into_sight_late_is_heard_all_the_same(heard):
    early = heard.run(0, 0, fails=["of_it_all"])
    heard.listen()
    later = heard.run(1, 1, fails=["of_shards"])
    with heard.postgres.connect() as connection:  # as if the other had ended, and been heard, nine minutes after it
        connection.execute(
            "UPDATE wxyc_assets.heard_run SET ended_at = ended_at + %s WHERE run_id = %s", [timedelta(minutes=9), early]
        )
    assert heard.listen() == 1
    assert heard.rows("SELECT count(*) FROM wxyc_assets.heard_run WHERE run_id = '" + later + "'") == [(1,)]


def test_a_scope_that_nobody_knows_is_refused_rather_than_guessed():
    spec = dg.AssetCheckSpec("odd", asset="an_asset", metadata={SCOPE: "universe"})

    @dg.multi_asset(specs=[dg.AssetSpec("an_asset")], check_specs=[spec])
    def an_asset():
        yield

    with pytest.raises(ValueError, match="must be one of"):
        scopes_of([an_asset])
