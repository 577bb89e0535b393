"""A run is on record from its first lock to its last word, however it ends."""

import io
import json
from dataclasses import dataclass, field

import pytest

from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets import single_flight
from wxyc_assets.recorded_run import Undertaking, by_partition, on_record
from wxyc_assets.revision import MigrationError


@dataclass
class Report:
    verdict: str = "done"
    reason: str = ""
    refused: dict = field(default_factory=dict)


class Desk:
    def __init__(self, postgres):
        self.postgres, self.stream = postgres, io.StringIO()

    def on_record(self, report, **overrides):
        usual = {"asset": "an_asset", "run_id": "ours", "origin": "routine", "partitions": [2, 1], "dry_run": False}
        return on_record(
            Undertaking(**{**usual, "unit_wait_s": 0.2, **overrides}),
            report,
            postgres=self.postgres,
            log=step_log(tool="t", run_id="ours", human=False, stream=self.stream),
        )

    def lines(self, step):
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["step"] == step]

    @property
    def failures(self):
        return [(line["level"], line["error_name"], line["error_message"]) for line in self.lines("failed")]

    def held(self, *units):
        with self.postgres.connect() as connection:
            return single_flight.held_units(connection, units)

    def recorded(self):
        with self.postgres.connect() as connection:
            return connection.execute(
                "SELECT asset, origin, verdict, reason, ended_at IS NOT NULL FROM wxyc_assets.run"
            ).fetchall()


UNITS = ("run/ours", "an_asset/1", "an_asset/2")


@pytest.fixture
def desk(station):
    return Desk(station)


def test_a_run_holds_its_own_id_and_its_shards_and_is_on_record_as_working(desk):
    report = Report()
    with desk.on_record(report):
        assert desk.held(*UNITS) == set(UNITS)
        assert desk.recorded() == [("an_asset", "routine", None, None, False)]
    assert desk.held(*UNITS) == set()
    assert desk.recorded() == [("an_asset", "routine", "done", None, True)]
    assert (report.refused, desk.failures) == ({}, [])


def test_shards_that_somebody_has_are_named_with_their_holder(desk):
    report = Report()
    with single_flight.run_locks(desk.postgres, "theirs") as locks:
        locks.take(["an_asset/2"])
        with desk.on_record(report):
            pass
    assert list(report.refused) == [2]
    assert "run theirs" in report.refused[2]
    (line,) = desk.lines("unit_wait")
    assert line["partition"] == 2
    assert "run theirs" in line["message"]


def test_a_run_that_could_not_work_says_so_as_its_last_word(desk):
    report = Report()
    with desk.on_record(report):
        report.verdict, report.reason = "failed", "LML was down"
    assert desk.failures == [("error", "Failure", "LML was down")]
    assert desk.recorded() == [("an_asset", "routine", "failed", "LML was down", True)]


@pytest.mark.parametrize(
    ("error", "reason", "logged"), [(KeyError("x"), "KeyError: 'x'", 1), (KeyboardInterrupt(), "KeyboardInterrupt", 0)]
)
def test_whatever_is_raised_is_put_on_record_and_passed_on(desk, error, reason, logged):
    with pytest.raises(type(error)), desk.on_record(Report()):
        raise error
    assert desk.recorded() == [("an_asset", "routine", "failed", reason, True)]
    assert len(desk.failures) == logged
    assert desk.held(*UNITS) == set()


def test_a_dry_run_shows_that_it_lives_and_keeps_nobody_from_a_shard(desk):
    report = Report()
    with single_flight.run_locks(desk.postgres, "theirs") as locks:
        locks.take(["an_asset/1"])
        with desk.on_record(report, dry_run=True):
            assert desk.held("run/ours", "an_asset/2") == {"run/ours"}
    assert (report.refused, desk.recorded()) == ({}, [])


def test_a_database_without_our_schema_is_refused(database):
    desk = Desk(Postgres(database))
    with pytest.raises(MigrationError), desk.on_record(Report()):
        pytest.fail("it worked all the same")
    assert [name for _, name, _ in desk.failures] == ["MigrationError"]


def test_a_problem_is_named_once_with_the_shards_that_have_it():
    assert by_partition({3: "gone", 7: "locked", 2: "gone"}) == "shard 2, 3: gone; shard 7: locked"
    assert by_partition({}) == ""
