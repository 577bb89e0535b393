import json
import multiprocessing
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sensors import staleness
from sensors.staleness import StaleShard, decide, run_requests, stale_identities
from tests.libraries import add_library, verify
from tests.runs import begin, status_of
from wxyc_assets import ledger
from wxyc_assets.dead_runs import GRACE
from wxyc_assets.library_identity import store
from wxyc_assets.migrate import migrate
from wxyc_assets.partitions import SHARD_COUNT, range_tags
from wxyc_assets.revision import MigrationError
from wxyc_assets.settings import IdentitySettings, load
from wxyc_assets.single_flight import run_locks, unit

DAY = timedelta(days=1)
_spawn = multiprocessing.get_context("spawn")


@pytest.fixture
def connection(station):
    with station.connect() as session:
        yield session


class Daemon:
    """Ticks the sensor as the daemon does: it keeps the cursor, and never launches a run key twice."""

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
            resources={"postgres": self.station, "identity_settings": load(IdentitySettings, environ or {})},
        )
        result = stale_identities(context)
        if isinstance(result, dg.SkipReason):
            self.skipped = result.skip_message
            return []
        self.cursor = result.cursor
        new = [request for request in result.run_requests if request.run_key not in self.launched]
        self.launched |= {request.run_key for request in new}
        assert all(request.asset_selection == [dg.AssetKey("library_identity")] for request in new)
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


def test_nothing_is_asked_while_every_identity_is_fresh(daemon, connection):
    assert daemon.tick() == []
    _add(connection, 1, 2, verified=6 * DAY)
    _add(connection, 3, canonical=False)
    _add(connection, 4, artist_name=None)
    _add(connection, 5, marked=29 * DAY)
    assert daemon.tick() == []
    assert daemon.skipped == "every library that can be asked about has a fresh identity"


def test_a_library_that_was_never_verified_is_stale(daemon, connection):
    _add(connection, 5)
    assert daemon.tick() == [(5, 5)]


def test_a_library_verified_more_than_seven_days_ago_is_stale(daemon, connection):
    _add(connection, 21, verified=7 * DAY + timedelta(seconds=1))
    assert daemon.tick() == [(5, 5)]


def test_the_settings_of_the_asset_are_the_sensors(daemon, connection):
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


def test_the_same_libraries_are_asked_for_once(daemon, connection):
    _add(connection, 1, 2)
    assert daemon.tick() == [(1, 2)]
    assert [daemon.tick() for _ in range(3)] == [[], [], []]
    assert "2 libraries of 2 shards need asking; 0 shards are being worked on" in daemon.skipped


def test_the_same_libraries_are_asked_for_once_even_when_the_cursor_is_lost(daemon, connection):
    _add(connection, 1, 2)
    assert daemon.tick() == [(1, 2)]
    daemon.cursor = None
    assert daemon.tick() == []


def test_a_library_that_joins_is_asked_for_once_and_only_its_shard(daemon, connection):
    _add(connection, 1, 2)
    daemon.tick()
    _add(connection, 17)
    assert [daemon.tick(), daemon.tick()] == [[(1, 1)], []]


def test_libraries_that_were_asked_in_between_and_are_stale_again_are_new_data(daemon, connection):
    _add(connection, 1, verified=9 * DAY)
    assert daemon.tick() == [(1, 1)]
    verify(connection, 1)
    assert daemon.tick() == []
    verify(connection, 1, 8 * DAY)
    assert [daemon.tick(), daemon.tick()] == [[(1, 1)], []]


def test_a_library_swapped_for_another_is_new_data(daemon, connection):
    _add(connection, 1)
    daemon.tick()
    connection.execute("UPDATE library SET id = 17 WHERE id = 1")
    assert daemon.tick() == [(1, 1)]


def test_the_digest_does_not_hang_on_the_order_of_rows(daemon, connection):
    _add(connection, 1, 17, 33)
    daemon.tick()
    connection.execute("UPDATE library SET label = 'moved to the end of the table' WHERE id = 1")
    assert daemon.tick() == []


def test_what_could_not_be_helped_is_asked_again_on_the_next_day(daemon, connection, day):
    _add(connection, 1)
    assert [daemon.tick(), daemon.tick()] == [[(1, 1)], []]
    day(datetime(2026, 6, 2, 0, 1, tzinfo=UTC))
    assert [daemon.tick(), daemon.tick()] == [[(1, 1)], []]
    assert json.loads(daemon.cursor).keys() == {"1"}


def test_yesterdays_memories_are_forgotten(daemon, connection, day):
    _add(connection, 1, 2)
    daemon.tick()
    verify(connection, 1)
    day(datetime(2026, 6, 2, 12, tzinfo=UTC))
    assert daemon.tick() == [(2, 2)]
    assert json.loads(daemon.cursor).keys() == {"2"}


def test_a_shard_that_a_live_run_works_on_is_left_alone_until_it_ends(daemon, station, connection):
    _add(connection, 1, 2, 3)
    with run_locks(station, "somebody") as locks:
        locks.take([unit("library_identity", 2)])
        assert daemon.tick() == [(1, 1), (3, 3)]
        _add(connection, 18)
        assert daemon.tick() == []
        assert "1 shards are being worked on" in daemon.skipped
    assert [daemon.tick(), daemon.tick()] == [[(2, 2)], []]


def test_a_run_that_ends_while_the_libraries_are_read_is_not_answered_with_another(
    daemon, station, connection, monkeypatch
):
    _add(connection, 1)
    read = staleness.select_stale
    with run_locks(station, "somebody") as locks:
        locks.take([unit("library_identity", 1)])

        def ends_meanwhile(*args):
            locks._connection.close()
            time.sleep(0.2)
            return read(*args)

        monkeypatch.setattr(staleness, "select_stale", ends_meanwhile)
        assert daemon.tick() == []


@pytest.mark.parametrize(
    "status", [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]
)
def test_a_shard_whose_run_waits_to_start_is_left_alone(daemon, instance, connection, status):
    _add(connection, *range(16))
    begin(instance, status, {"dagster/sensor_name": "stale_identities", **range_tags("4", "6")})
    assert daemon.tick() == [(0, 3), (7, 15)]


def test_a_run_that_nobody_will_ever_start_does_not_hold_its_shards_for_ever(daemon, instance, connection, day):
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


def test_runs_of_other_sensors_are_none_of_ours(daemon, instance, connection):
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


def test_a_killed_run_is_ended_by_the_tick_and_its_shard_is_asked_again(daemon, instance, station, connection):
    _add(connection, 6)
    run_id, working = begin(instance), _spawn.Event()
    process = _spawn.Process(target=_work_on_shard, args=(station, run_id, 6, working), daemon=True)
    process.start()
    assert working.wait(30)
    assert daemon.tick() == []
    process.kill()
    process.join()
    launched = []
    for _ in range(100):
        launched += daemon.tick()
        if launched:
            break
        time.sleep(0.05)
    assert launched == [(6, 6)]
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE


def test_a_station_without_our_schema_says_what_to_do(daemon, station):
    migrate(station, "base")
    with pytest.raises(MigrationError, match="run `wxyc migrate`"):
        daemon.tick()


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
def test_the_sensor_asks_for_exactly_the_shards_with_a_page_to_ask(
    daemon, connection, shelves, include_null_canonical, resting
):
    connection.execute("TRUNCATE library, library_identity, library_identity_source, wxyc_assets.quarantine CASCADE")
    for library_id, state in shelves.items():
        add_library(connection, library_id, **state)
    rejected = [ledger.Rejected(library_id, "contract_violation", "why", "digest") for library_id in resting]
    for _ in range(3):
        ledger.quarantine(connection, "library_identity", "run", rejected)

    daemon.cursor, daemon.launched = None, set()
    ranges = daemon.tick({"INCLUDE_NULL_CANONICAL": str(include_null_canonical)})
    asked = {shard for first, last in ranges for shard in range(first, last + 1)}

    now, highest_id = store.beginning(connection)
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


def test_a_shard_is_left_alone_for_each_of_three_reasons():
    stale = [StaleShard(shard, 1, "d", at_work=shard == 1) for shard in range(5)]
    wanted = decide(stale, busy={2}, asked={"3": "2026-06-01 d", "4": "2026-05-31 d"}, window="2026-06-01")
    assert wanted == {0: "2026-06-01 d", 4: "2026-06-01 d"}


def test_a_run_key_names_the_shards_their_libraries_and_the_day():
    def key(wanted):
        (request,) = run_requests(wanted)
        return request.run_key

    keys = [key({1: "day a"}), key({1: "day b"}), key({2: "day a"}), key({1: "next a"}), key({1: "day a", 2: "day a"})]
    assert len(set(keys)) == 5
    assert key({2: "day b", 1: "day a"}) == key({1: "day a", 2: "day b"})
