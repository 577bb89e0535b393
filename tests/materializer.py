"""Runs of one asset through Dagster itself, in this process, and what Dagster then knows of them."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from wxyc_assets.operator import Operator, RunSummary
from wxyc_assets.partitions import range_tags


class AssetRuns:
    """Runs of the asset of this name on an instance."""

    def __init__(self, instance: dg.DagsterInstance, asset: str) -> None:
        self.instance, self.key = instance, dg.AssetKey(asset)
        self.operator = Operator(human=False)

    def materialize(
        self, defs: dg.Definitions, first: str, last: str, tags: Mapping[str, str] | None, config: Mapping[str, Any]
    ) -> dg.ExecuteInProcessResult:
        """Run the asset over the partitions from ``first`` to ``last``."""
        return defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[self.key],
            raise_on_error=False,
            tags={**range_tags(first, last), **(tags or {})},
            run_config={
                "ops": {self.key.to_python_identifier(): {"config": dict(config)}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )

    @property
    def credited(self) -> tuple[dict[str | None, dict[str, Any]], int]:
        """Each partition that was credited, with its latest metadata, and how often any was."""
        records = self.instance.fetch_materializations(self.key, limit=100).records
        events = [record.asset_materialization for record in reversed(records) if record.asset_materialization]
        partitions = {one.partition: {name: value.value for name, value in one.metadata.items()} for one in events}
        return partitions, len(events)

    def rehearsed(self, run: dg.ExecuteInProcessResult) -> dict[str, Any]:
        """What the run's page shows of the one dry run that it was."""
        records = self.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION).records
        (event,) = [one.event_log_entry.get_dagster_event().asset_observation_data.asset_observation for one in records]
        assert event.asset_key == self.key
        return {name: value.value for name, value in event.metadata.items()}

    def checks(self, run: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
        """Each check that the run evaluated: whether it passed, and its severity."""
        return {one.check_name: (one.passed, one.severity.value) for one in self._evaluations(run)}

    def descriptions(self, run: dg.ExecuteInProcessResult) -> dict[str, str | None]:
        """What each check that the run evaluated said."""
        return {one.check_name: one.description for one in self._evaluations(run)}

    def _evaluations(self, run: dg.ExecuteInProcessResult) -> list[Any]:
        events = self.instance.get_records_for_run(
            run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
        return [one.event_log_entry.get_dagster_event().event_specific_data for one in events]

    def said(self, run: dg.ExecuteInProcessResult) -> list[str]:
        """What the run's page shows as log messages."""
        return [record.user_message for record in self.instance.all_logs(run.run_id)]

    def summary(self, run: dg.ExecuteInProcessResult) -> RunSummary:
        """What the command line would print of the run."""
        return self.operator.summaries[run.run_id]
