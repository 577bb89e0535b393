"""Runs of one asset through Dagster itself, in this process, and what Dagster then knows of them."""

import importlib
from collections.abc import Mapping
from typing import Any

import dagster as dg

from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.orchestration.partitions import add_day
from wxyc_assets.runs.outcome import RunSummary
from wxyc_assets.runs.partitions import HOUR, hour_start, range_tags
from wxyc_assets.runs.run_console import RunConsole


def logged_evaluations(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckEvaluation]:
    """Every check evaluation in the log of a run, in order."""
    events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    return [one.event_log_entry.get_dagster_event().asset_check_evaluation_data for one in events]


class AssetRuns:
    """Runs of the asset of this name on an instance."""

    def __init__(self, instance: dg.DagsterInstance, asset: str) -> None:
        self.instance, self.key = instance, dg.AssetKey(asset)
        self.console = RunConsole()

    def materialize(
        self, defs: dg.Definitions, first: str, last: str, tags: Mapping[str, str] | None, config: Mapping[str, Any]
    ) -> dg.ExecuteInProcessResult:
        """Run the asset over the partitions from ``first`` to ``last``; with ``dry_run``, its dry run over them."""
        options = dict(config)
        if options.pop("dry_run", False):
            return self.run_dry(defs, self._window(first, last) | options, tags)
        if BY_NAME[self.key.to_python_identifier()].partitions == "today":
            for day in sorted({first, last}):
                add_day(self.instance, day)  # as the UI's "Add a partition" does
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

    def run_checks(
        self, checks: dg.AssetChecksDefinition, resources: Mapping[str, Any], *names: str
    ) -> dg.ExecuteInProcessResult:
        """Execute checks without the asset, as the UI's button does; all by default."""
        wanted = {key for key in checks.check_keys if not names or key.name in names}
        job = dg.Definitions(asset_checks=[checks], resources=resources).resolve_implicit_global_asset_job_def()
        return job.get_subset(asset_selection=set(), asset_check_selection=wanted).execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )

    def run_dry(
        self, defs: dg.Definitions, options: Mapping[str, Any], tags: Mapping[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run the asset's dry run with the resources of ``defs``."""
        asset = self.key.to_python_identifier()
        info = BY_NAME[asset]
        job = getattr(importlib.import_module(f"{info.room}.dry_run"), info.dry_run_job)
        resolved = dg.Definitions(jobs=[job], resources=defs.resources).resolve_job_def(info.dry_run_job)
        return resolved.execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            tags=dict(tags or {}),
            run_config={
                **({"ops": {info.dry_run_op: {"config": dict(options)}}} if options else {}),
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )

    def _window(self, first: str, last: str) -> dict[str, Any]:
        match BY_NAME[self.key.to_python_identifier()].partitions:
            case "shards":
                return {"shards": list(range(int(first), int(last) + 1))}
            case "hours":
                return {"since": hour_start(first).isoformat(), "until": (hour_start(last) + HOUR).isoformat()}
            case _:
                return {}

    @property
    def credited(self) -> tuple[dict[str | None, dict[str, Any]], int]:
        """Each partition that was credited, with its latest metadata, and how often any was."""
        records = self.instance.fetch_materializations(self.key, limit=100).records
        events = [record.asset_materialization for record in reversed(records) if record.asset_materialization]
        partitions = {one.partition: {name: value.value for name, value in one.metadata.items()} for one in events}
        return partitions, len(events)

    def dry_run_event(self, run: dg.ExecuteInProcessResult) -> dict[str, Any]:
        """What the run's page shows of the one dry run that it was."""
        records = self.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION).records
        (event,) = [one.event_log_entry.get_dagster_event().asset_observation_data.asset_observation for one in records]
        assert event.asset_key == self.key
        return {name: value.value for name, value in event.metadata.items()}

    def touched(self, run: dg.ExecuteInProcessResult) -> list[str]:
        """Each event of the run that changes what Dagster shows of a partition or a check."""
        kinds = {
            dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
            dg.DagsterEventType.ASSET_MATERIALIZATION,
            dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
            dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        }
        records = self.instance.get_records_for_run(run.run_id, of_type=kinds).records
        return [one.event_log_entry.get_dagster_event().event_type_value for one in records]

    def found(self, run: dg.ExecuteInProcessResult) -> set[str]:
        """The checks that the summary of the run holds."""
        return {finding.name for finding in self.summary(run).findings}

    def checks(self, run: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
        """Each check that the run evaluated: whether it passed, and its severity."""
        return {one.check_name: (one.passed, one.severity.value) for one in self._evaluations(run)}

    def descriptions(self, run: dg.ExecuteInProcessResult) -> dict[str, str | None]:
        """What each check that the run evaluated said."""
        return {one.check_name: one.description for one in self._evaluations(run)}

    def _evaluations(self, run: dg.ExecuteInProcessResult) -> list[dg.AssetCheckEvaluation]:
        return logged_evaluations(self.instance, run.run_id)

    def said(self, run: dg.ExecuteInProcessResult) -> list[str]:
        """What the run's page shows as log messages."""
        return [record.user_message for record in self.instance.all_logs(run.run_id)]

    def summary(self, run: dg.ExecuteInProcessResult) -> RunSummary:
        """What the command line would print of the run."""
        return self.console.summaries[run.run_id]
