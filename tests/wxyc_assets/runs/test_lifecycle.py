"""A run is recorded from its first lock to its end, however it ends."""

import io
import json
from dataclasses import dataclass, field

import pytest

from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.runs import advisory_locks
from wxyc_assets.runs.lifecycle import RunSpec, by_partition, run_lifecycle


@dataclass
class Report:
    verdict: str = "done"
    reason: str = ""
    refused: dict = field(default_factory=dict)


class Desk:
    def __init__(self, postgres):
        self.postgres, self.stream = postgres, io.StringIO()

    def run_lifecycle(self, report, **overrides):
        usual = {"asset": "an_asset", "run_id": "ours", "origin": "routine", "partitions": [2, 1], "dry_run": False}
        return run_lifecycle(
            RunSpec(**{**usual, "unit_wait_s": 0.2, **overrides}),
            report,
            postgres=self.postgres,
            log=step_log(tool="t", run_id="ours", stream=self.stream),
        )

    def lines(self, step):
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["step"] == step]

    @property
    def failures(self):
        return [(line["level"], line["error_name"], line["error_message"]) for line in self.lines("failed")]

    def held(self, *units):
        with self.postgres.connect() as connection:
            return advisory_locks.held_units(connection, units)

    def recorded(self):
        with self.postgres.connect() as connection:
            return connection.execute(
                "SELECT asset, origin, verdict, reason, ended_at IS NOT NULL FROM wxyc_assets.run"
            ).fetchall()


UNITS = ("run/ours", "an_asset/1", "an_asset/2")


@pytest.fixture
def desk(station):
    return Desk(station)


def test_run_holds_its_locks_and_is_recorded_as_working(desk):
    report = Report()
    with desk.run_lifecycle(report):
        assert desk.held(*UNITS) == set(UNITS)
        assert desk.recorded() == [("an_asset", "routine", None, None, False)]
    assert desk.held(*UNITS) == set()
    assert desk.recorded() == [("an_asset", "routine", "done", None, True)]
    assert (report.refused, desk.failures) == ({}, [])


def test_shards_that_another_run_holds_are_named_with_holder(desk):
    report = Report()
    with advisory_locks.run_locks(desk.postgres, "theirs") as locks:
        locks.take(["an_asset/2"])
        with desk.run_lifecycle(report):
            pass
    assert list(report.refused) == [2]
    assert "run theirs" in report.refused[2]
    (line,) = desk.lines("unit_wait")
    assert line["partition"] == 2
    assert "run theirs" in line["message"]


def test_failed_run_logs_its_reason_last(desk):
    report = Report()
    with desk.run_lifecycle(report):
        report.verdict, report.reason = "failed", "LML was down"
    assert desk.failures == [("error", "Failure", "LML was down")]
    assert desk.recorded() == [("an_asset", "routine", "failed", "LML was down", True)]


@pytest.mark.parametrize(
    ("error", "reason", "logged"), [(KeyError("x"), "KeyError: 'x'", 1), (KeyboardInterrupt(), "KeyboardInterrupt", 0)]
)
def test_exception_is_recorded_and_raised(desk, error, reason, logged):
    with pytest.raises(type(error)), desk.run_lifecycle(Report()):
        raise error
    assert desk.recorded() == [("an_asset", "routine", "failed", reason, True)]
    assert len(desk.failures) == logged
    assert desk.held(*UNITS) == set()


def test_dry_run_locks_its_own_id_and_no_shard(desk):
    """Its own lock shows that it is alive; other runs can work on the shards."""
    report = Report()
    with advisory_locks.run_locks(desk.postgres, "theirs") as locks:
        locks.take(["an_asset/1"])
        with desk.run_lifecycle(report, dry_run=True):
            assert desk.held("run/ours", "an_asset/2") == {"run/ours"}
    assert (report.refused, desk.recorded()) == ({}, [])


def test_a_database_without_our_schema_is_refused(database):
    desk = Desk(Postgres(database))
    with pytest.raises(MigrationError), desk.run_lifecycle(Report()):
        pytest.fail("it worked all the same")
    assert [name for _, name, _ in desk.failures] == ["MigrationError"]


def test_a_problem_is_named_once_with_the_shards_that_have_it():
    assert by_partition({3: "gone", 7: "locked", 2: "gone"}) == "shard 2, 3: gone; shard 7: locked"
    assert by_partition({}) == ""
