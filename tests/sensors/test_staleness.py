"""The staleness sensor: which shards it requests, how often, and which it leaves out."""

import json
import multiprocessing
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sensors import staleness
from sensors.staleness import StaleShard, run_requests, shards_to_request, stale_identities
from tests.fake_dagster_runs import begin, status_of
from tests.libraries import add_library, verify
from tests.waiting import wait_for
from wxyc_assets.assets.library_identity import store
from wxyc_assets.database.migrate import migrate
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.orchestration.dead_runs import GRACE
from wxyc_assets.runs import ledger
from wxyc_assets.runs.advisory_locks import held_units, run_locks, unit
from wxyc_assets.runs.partitions import SHARD_COUNT, range_tags
from wxyc_assets.settings import IdentitySettings, load

DAY = timedelta(days=1)
_spawn = multiprocessing.get_context("spawn")


@pytest.fixture
def connection(station):
    with station.connect() as session:
        yield session


class Daemon:
    """Ticks the sensor as the daemon does: it stores the cursor, and launches no run key twice."""

    def __init__(self, instance, station):
        self.instance = instance
        self.station = station
        self.cursor = None
        self.launched = set()
        self.skipped = ""

    def tick(self, environ=None):
        """Return the ranges that were launched."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            resources={
                "postgres": self.station,
                "billing_postgres": self.station,
                "identity_settings": load(IdentitySettings, environ or {}),
            },
        )
        result: Any = stale_identities(context)
        if isinstance(result, dg.SkipReason):
            self.skipped = result.skip_message or ""
            return []
        self.cursor = result.cursor
        new = [request for request in result.run_requests if request.run_key not in self.launched]
        self.launched |= {request.run_key for request in new}
        assert all(request.asset_selection is None for request in new)  # the job is of this asset only
        return [tuple(int(request.tags[tag]) for tag in range_tags("", "")) for request in new]


@pytest.fixture
def daemon(instance, station):
    return Daemon(instance, station)


@pytest.fixture
def day(monkeypatch):
    """Sets the sensor's day."""

    def choose(now):
        class Clock(datetime):
            @classmethod
            def now(cls, _zone=None):
                return now

        monkeypatch.setattr(staleness, "datetime", Clock)

    choose(datetime(2026, 6, 1, 12, tzinfo=UTC))
    return choose


def _add(connection, *library_ids, **state):
    for library_id in library_ids:
        add_library(connection, library_id, **state)


def test_fresh_identities_request_nothing(daemon, connection):
    assert daemon.tick() == []
    _add(connection, 1, 2, verified=6 * DAY)
    _add(connection, 3, canonical=False)
    _add(connection, 4, artist_name=None)
    _add(connection, 5, marked=29 * DAY)
    assert daemon.tick() == []
    assert daemon.skipped == "no library is eligible: every identity is fresh, or its library waits for a retry"


def test_a_library_that_was_never_verified_is_stale(daemon, connection):
    _add(connection, 5)
    assert daemon.tick() == [(5, 5)]


def test_a_library_verified_more_than_seven_days_ago_is_stale(daemon, connection):
    _add(connection, 21, verified=7 * DAY + timedelta(seconds=1))
    assert daemon.tick() == [(5, 5)]


def test_the_sensor_follows_the_settings_of_the_asset(daemon, connection):
    _add(connection, 1, canonical=False)
    _add(connection, 2, verified=3 * DAY)
    _add(connection, 3, marked=10 * DAY)
    assert daemon.tick() == []
    assert daemon.tick({"INCLUDE_NULL_CANONICAL": "1"}) == [(1, 1)]
    assert daemon.tick({"STALE_THRESHOLD_DAYS": "2"}) == [(2, 2)]
    assert daemon.tick({"UNRESOLVED_RETRY_DAYS": "9"}) == [(3, 3)]


def test_neighbouring_shards_are_one_run(daemon, connection):
    _add(connection, *range(16, 32))
    assert daemon.tick() == [(0, 15)]


def test_separate_shards_are_separate_ranges(daemon, connection):
    _add(connection, 1, 2, 3, 9, 15)
    assert daemon.tick() == [(1, 3), (9, 9), (15, 15)]


def test_the_same_libraries_are_requested_once(daemon, connection):
    _add(connection, 1, 2)
    assert daemon.tick() == [(1, 2)]
    assert [daemon.tick() for _ in range(3)] == [[], [], []]
    assert "2 libraries of 2 shards are eligible; runs work on 0 of the shards" in daemon.skipped


def test_a_lost_cursor_repeats_no_run_key(daemon, connection):
    _add(connection, 1, 2)
    assert daemon.tick() == [(1, 2)]
    daemon.cursor = None
    assert daemon.tick() == []


def test_an_added_library_requests_its_shard_only(daemon, connection):
    _add(connection, 1, 2)
    daemon.tick()
    _add(connection, 17)
    assert [daemon.tick(), daemon.tick()] == [[(1, 1)], []]


def test_an_identity_that_is_stale_again_is_requested_again(daemon, connection):
    _add(connection, 1, verified=9 * DAY)
    assert daemon.tick() == [(1, 1)]
    verify(connection, 1)
    assert daemon.tick() == []
    verify(connection, 1, 8 * DAY)
    assert [daemon.tick(), daemon.tick()] == [[(1, 1)], []]


def test_a_library_replaced_by_another_is_requested(daemon, connection):
    _add(connection, 1)
    daemon.tick()
    connection.execute("UPDATE library SET id = 17 WHERE id = 1")
    assert daemon.tick() == [(1, 1)]


def test_the_digest_does_not_depend_on_the_order_of_rows(daemon, connection):
    _add(connection, 1, 17, 33)
    daemon.tick()
    connection.execute("UPDATE library SET label = 'moved to the end of the table' WHERE id = 1")
    assert daemon.tick() == []


def test_unchanged_libraries_are_requested_again_the_next_day(daemon, connection, day):
    _add(connection, 1)
    assert [daemon.tick(), daemon.tick()] == [[(1, 1)], []]
    day(datetime(2026, 6, 2, 0, 1, tzinfo=UTC))
    assert [daemon.tick(), daemon.tick()] == [[(1, 1)], []]
    assert json.loads(daemon.cursor).keys() == {"1"}


def test_the_cursor_drops_the_entries_of_other_days(daemon, connection, day):
    _add(connection, 1, 2)
    daemon.tick()
    verify(connection, 1)
    day(datetime(2026, 6, 2, 12, tzinfo=UTC))
    assert daemon.tick() == [(2, 2)]
    assert json.loads(daemon.cursor).keys() == {"2"}


def test_a_locked_shard_is_not_requested_until_its_run_ends(daemon, station, connection):
    _add(connection, 1, 2, 3)
    with run_locks(station, "another-run") as locks:
        locks.take([unit("library_identity", 2)])
        assert daemon.tick() == [(1, 1), (3, 3)]
        _add(connection, 18)
        assert daemon.tick() == []
        assert "runs work on 1 of the shards" in daemon.skipped
    assert [daemon.tick(), daemon.tick()] == [[(2, 2)], []]


def test_a_run_that_ends_during_the_tick_requests_no_other(daemon, station, connection, monkeypatch):
    _add(connection, 1)
    read = staleness.select_stale
    with run_locks(station, "another-run") as locks:
        locks.take([unit("library_identity", 1)])

        def ends_meanwhile(*args):
            locks.connection.close()
            wait_for(lambda: not held_units(connection, [unit("library_identity", 1)]), "release of the lock")
            return read(*args)

        monkeypatch.setattr(staleness, "select_stale", ends_meanwhile)
        assert daemon.tick() == []


@pytest.mark.parametrize(
    "status", [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]
)
def test_a_shard_whose_run_waits_to_start_is_not_requested(daemon, instance, connection, status):
    _add(connection, *range(16))
    begin(instance, status, {"dagster/sensor_name": "stale_identities", **range_tags("4", "6")})
    assert daemon.tick() == [(0, 3), (7, 15)]


def test_an_abandoned_run_does_not_block_its_shards_forever(daemon, instance, connection, day):
    _add(connection, 4)
    begin(
        instance,
        dg.DagsterRunStatus.NOT_STARTED,
        {"dagster/sensor_name": "stale_identities", **range_tags("4", "4")},
    )
    day(datetime.now(UTC))
    assert daemon.tick() == []
    day(datetime.now(UTC) + GRACE + timedelta(minutes=1))
    assert daemon.tick() == [(4, 4)]


def test_waiting_runs_of_other_sensors_block_no_shard(daemon, instance, connection):
    _add(connection, 4)
    begin(instance, dg.DagsterRunStatus.QUEUED, {"dagster/sensor_name": "another", **range_tags("4", "4")})
    begin(instance, dg.DagsterRunStatus.QUEUED, {"dagster/sensor_name": "stale_identities"})
    assert daemon.tick() == [(4, 4)]


def _work_on_shard(postgres, run_id, shard, working):
    with run_locks(postgres, run_id) as locks, postgres.connect() as connection:
        locks.take([unit("library_identity", shard)])
        ledger.begin_run(connection, run_id, "library_identity", "routine")
        working.set()
        time.sleep(600)


@pytest.mark.timeout(900)  # a process must start, which takes long on a busy machine
def test_a_tick_ends_a_killed_run_and_requests_its_shard(daemon, instance, station, connection):
    _add(connection, 6)
    run_id, working = begin(instance), _spawn.Event()
    process = _spawn.Process(target=_work_on_shard, args=(station, run_id, 6, working), daemon=True)
    process.start()
    assert working.wait(300)
    assert daemon.tick() == []
    process.kill()
    process.join()
    assert wait_for(daemon.tick, "request for the shard of the killed run", timeout_s=240) == [(6, 6)]
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE


def test_a_station_without_our_schema_says_what_to_do(daemon, station):
    migrate(station, "base")
    with pytest.raises(MigrationError, match="run `wxyc migrate`"):
        daemon.tick()


def in_vain(connection, run_id, *, minutes_ago):
    """Record a run of library_identity that LML did not answer."""
    ledger.begin_run(connection, run_id, "library_identity", "routine")
    ledger.end_run(connection, run_id, "failed", "LML answered none of the 2 libraries asked")
    connection.execute(
        "UPDATE wxyc_assets.run SET ended_at = now() - make_interval(mins => %s) WHERE run_id = %s",
        [minutes_ago, run_id],
    )


def test_what_lml_did_not_answer_is_requested_again_after_a_wait(daemon, connection):
    """The first wait is five minutes, and each try that LML does not answer is followed by another."""
    _add(connection, 1, 2)
    assert daemon.tick() == [(1, 2)]
    in_vain(connection, "first", minutes_ago=4)
    assert daemon.tick() == []
    assert daemon.skipped.startswith("LML did not answer run first; the next try is at ")
    in_vain(connection, "first", minutes_ago=6)
    assert [daemon.tick(), daemon.tick()] == [[(1, 2)], []]
    in_vain(connection, "second", minutes_ago=0)
    assert daemon.tick() == []
    in_vain(connection, "first", minutes_ago=20)
    in_vain(connection, "second", minutes_ago=11)
    assert daemon.tick() == [(1, 2)]


def test_an_outage_that_lasts_all_day_is_asked_within_the_hour(daemon, connection):
    _add(connection, 1)
    daemon.tick()
    in_vain(connection, "first", minutes_ago=600)
    in_vain(connection, "last", minutes_ago=46)
    assert daemon.tick() == [(1, 1)]


ages = st.sampled_from([None, timedelta(0), 6 * DAY, 7 * DAY + timedelta(hours=1), 40 * DAY])
libraries = st.dictionaries(
    st.integers(1, 200),
    st.fixed_dictionaries(
        {
            "artist_name": st.sampled_from(["Jessica Pratt", None]),
            "canonical": st.booleans(),
            "verified": ages,
            "marked": ages,
        }
    ),
    max_size=20,
)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(libraries, st.booleans(), st.sets(st.integers(1, 200), max_size=3))
def test_the_sensor_requests_the_shards_that_have_a_page(daemon, connection, shelves, include_null_canonical, resting):
    connection.execute("TRUNCATE library, library_identity, library_identity_source, wxyc_assets.quarantine CASCADE")
    for library_id, state in shelves.items():
        add_library(connection, library_id, **state)
    rejected = [ledger.Rejected(library_id, "contract_violation", "why", "digest") for library_id in resting]
    for _ in range(3):
        ledger.quarantine(connection, "library_identity", "run", rejected)

    daemon.cursor, daemon.launched = None, set()
    ranges = daemon.tick({"INCLUDE_NULL_CANONICAL": str(include_null_canonical)})
    asked = {shard for first, last in ranges for shard in range(first, last + 1)}

    now, highest_id = store.run_start(connection)
    selection = store.Selection(
        as_of=now,
        upto_id=highest_id,
        stale_after=7 * DAY,
        retry_after=30 * DAY,
        include_null_canonical=include_null_canonical,
    )
    assert asked == {
        shard
        for shard in range(SHARD_COUNT)
        if any(store.pages(connection, selection, shard=shard, shard_count=SHARD_COUNT, page_size=500))
    }


def test_a_shard_is_skipped_for_each_of_three_reasons():
    stale = [StaleShard(shard, 1, "d", locked=shard == 1) for shard in range(5)]
    requested = {"3": "2026-06-01 d", "4": "2026-05-31 d"}
    wanted = shards_to_request(stale, busy={2}, requested=requested, day="2026-06-01")
    assert wanted == {0: "2026-06-01 d", 4: "2026-06-01 d"}


def test_a_run_key_names_the_shards_their_libraries_and_the_day():
    def key(wanted):
        (request,) = run_requests(wanted)
        return request.run_key

    keys = [key({1: "day a"}), key({1: "day b"}), key({2: "day a"}), key({1: "next a"}), key({1: "day a", 2: "day a"})]
    assert len(set(keys)) == 5
    assert key({2: "day b", 1: "day a"}) == key({1: "day a", 2: "day b"})
