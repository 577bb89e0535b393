"""Takes note of runs: of what they credit while they work, and, once each, of what their end means for the alerts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg

from wxyc_assets.alerts import outbox
from wxyc_assets.alerts.outbox import Redact, execute
from wxyc_assets.alerts.reading import ENDS, Scopes, read_credits, read_story
from wxyc_assets.alerts.rules import judge
from wxyc_assets.alerts.story import RunStory

OVERLAP = timedelta(minutes=10)
"""How much later than another a run may come into sight that ended before it: one writer's transaction outlasts another's."""

OF_OLD = datetime(2000, 1, 1, tzinfo=UTC)
AT_WORK = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
PAGE = 200
RUNS_AT_ONCE = 50
"""How many runs one look takes note of: a sensor has a minute, and looks again."""


@dataclass(frozen=True)
class Listener:
    """Hears Dagster's runs into the outbox."""

    instance: dg.DagsterInstance
    connection: psycopg.Connection
    scopes: Scopes
    redact: Redact

    def listen(self) -> int:
        """Take note of the finished runs that nobody has heard yet, the first to end first; return how many there were.

        Each is heard in one transaction, exactly once, whoever else listens and however this ends. Raises psycopg.Error.
        """
        for record in self.instance.get_run_records(dg.RunsFilter(statuses=AT_WORK)):
            with self.connection.transaction():
                self._keep_credits(record)
        return sum(self._hear(record) for record in self._unheard())

    def _unheard(self) -> list[dg.RunRecord]:
        ((until,),) = execute(self.connection, "select_heard_until").fetchall()
        after = (until or OF_OLD) - OVERLAP
        unheard: list[dg.RunRecord] = []
        while len(unheard) < RUNS_AT_ONCE:
            # From instant to instant: Dagster's cursor goes by id, and runs end in another order than they began.
            wanted = dg.RunsFilter(statuses=list(ENDS), updated_after=after)
            page = self.instance.get_run_records(wanted, PAGE, "update_timestamp", ascending=True)
            run_ids = [record.dagster_run.run_id for record in page]
            heard = {run_id for (run_id,) in execute(self.connection, "select_heard", run_ids=run_ids)}
            unheard += [record for record in page if record.dagster_run.run_id not in heard]
            if len(page) < PAGE:
                break
            after = page[-1].update_timestamp
        return unheard[:RUNS_AT_ONCE]

    def _hear(self, record: dg.RunRecord) -> bool:
        run_id = record.dagster_run.run_id
        with self.connection.transaction():
            # Whoever hears the same run at this moment waits here, and then finds it heard.
            if not execute(self.connection, "hear_run", run_id=run_id, ended_at=record.update_timestamp).fetchone():
                return False
            story = read_story(self.instance, record, self.scopes)
            self._keep_credits(record)
            self._keep_misses(story)
            judgement = judge(story)
            for recovery in judgement.recovered:
                outbox.recover(self.connection, recovery, at=story.ended_at)
            for alert in judgement.raised:
                outbox.raise_alert(self.connection, alert, run_id=run_id, at=story.ended_at, redact=self.redact)
        return True

    def _keep_credits(self, record: dg.RunRecord) -> None:
        run_id = record.dagster_run.run_id
        for asset, credited in read_credits(self.instance, run_id).items():
            execute(
                self.connection,
                "upsert_credits",
                asset=asset,
                run_id=run_id,
                partition_keys=list(credited),
                credited_at=list(credited.values()),
            )

    def _keep_misses(self, story: RunStory) -> None:
        for asset in story.assets:
            if story.end == "failure" and asset.missed and not asset.dry_run:
                execute(
                    self.connection,
                    "upsert_misses",
                    asset=asset.asset,
                    run_id=story.run_id,
                    partition_keys=sorted(asset.missed),
                    missed_at=story.ended_at,
                )
