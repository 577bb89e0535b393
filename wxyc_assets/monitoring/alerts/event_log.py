"""Reads from Dagster's event log which runs have ended, and what a run did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias, get_args

import dagster as dg
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from sqlalchemy import func, select

from wxyc_assets.assets.registry import ASSETS
from wxyc_assets.monitoring.alerts.run_facts import (
    INTERRUPTED,
    WHOLE_ASSET,
    AssetFacts,
    Credit,
    Evaluation,
    Failure,
    RunEnd,
    RunFacts,
)
from wxyc_assets.orchestration.checks import BY_PARTITION, PARTITIONS, REPEATS, RUNBOOK, SCOPE
from wxyc_assets.orchestration.dry_runs import DRY_RUN_TAG
from wxyc_assets.orchestration.errors import root_cause
from wxyc_assets.runs.findings import Scope

Scopes: TypeAlias = Mapping[dg.AssetCheckKey, Scope]

RUN_ENDS: Mapping[dg.DagsterRunStatus, RunEnd] = {
    dg.DagsterRunStatus.SUCCESS: "success",
    dg.DagsterRunStatus.FAILURE: "failure",
    dg.DagsterRunStatus.CANCELED: "canceled",
}

NO_STEP = "run"
"""The name of the step of a run that failed although none of its steps did."""

WITHOUT_EXCEPTION = "RunFailure"
"""The exception class of a failure for which Dagster recorded none, such as a run whose process is gone."""

FROM_OUTSIDE = "marked as failed from outside"
"""What Dagster says of a run that it could not launch; the reason is in an event of its daemon."""

REASON_CHARACTERS = 1000
STACK_CHARACTERS = 8000

_Type = dg.DagsterEventType
_ENDS = (_Type.RUN_SUCCESS, _Type.RUN_FAILURE, _Type.RUN_CANCELED)
_RELEVANT = {
    *_ENDS,
    _Type.ENGINE_EVENT,
    _Type.ASSET_MATERIALIZATION,
    _Type.ASSET_MATERIALIZATION_PLANNED,
    _Type.ASSET_CHECK_EVALUATION_PLANNED,
    _Type.ASSET_CHECK_EVALUATION,
    _Type.STEP_FAILURE,
}
_OF_ASSETS = {
    _Type.ASSET_MATERIALIZATION,
    _Type.ASSET_MATERIALIZATION_PLANNED,
    _Type.ASSET_CHECK_EVALUATION_PLANNED,
    _Type.ASSET_CHECK_EVALUATION,
}


@dataclass(frozen=True)
class EndedRun:
    """A run that has ended, and the storage id of the event that says so."""

    run_id: str
    event_id: int


@dataclass(frozen=True)
class _Stored:
    """One event as it is stored."""

    event_id: int
    at: datetime
    event: dg.DagsterEvent


@dataclass
class _AssetEvents:
    """What the events read so far say about one asset."""

    steps: set[str] = field(default_factory=set)
    planned: set[str] = field(default_factory=set)
    credited: dict[str, Credit] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)
    evaluations: list[Evaluation] = field(default_factory=list)


def scopes_of(definitions: Iterable[dg.AssetsDefinition]) -> Scopes:
    """Return the scope of each check in these definitions. Raises ValueError for a scope that does not exist."""
    scopes: dict[dg.AssetCheckKey, Scope] = {}
    for assets in definitions:
        for spec in assets.check_specs:
            scope = spec.metadata.get(SCOPE, "partitions")
            if scope not in get_args(Scope):
                raise ValueError(f"{spec.key}: {SCOPE} is {scope!r}, and must be one of {get_args(Scope)}")
            scopes[spec.key] = scope
    return scopes


def ended_runs(instance: dg.DagsterInstance, *, after: int, limit: int) -> Sequence[EndedRun]:
    """Return the runs whose end was stored after an event, in the order of storage. No event is read, so that none can fail."""
    events = SqlEventLogStorageTable.c
    ends = [kind.value for kind in _ENDS]
    query = select(events.run_id, events.id).where(events.dagster_event_type.in_(ends), events.id > after)
    with _storage(instance).index_connection() as connection:
        return [EndedRun(*row) for row in connection.execute(query.order_by(events.id).limit(limit))]


def newest_event(instance: dg.DagsterInstance) -> int:
    """Return the largest storage id; 0 if nothing is stored."""
    with _storage(instance).index_connection() as connection:
        return int(connection.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar() or 0)


def _storage(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(f"the alerts need an event log in SQL, and cannot read {type(storage).__name__}")
    return storage


def read_credits(instance: dg.DagsterInstance, run_id: str) -> Mapping[str, Mapping[str, Credit]]:
    """Return the partitions that a run, finished or not, has credited so far, by asset, and when."""
    assets = _by_asset(_events(instance, run_id, {_Type.ASSET_MATERIALIZATION}), {})
    return {name: events.credited for name, events in assets.items()}


def read_run_facts(instance: dg.DagsterInstance, record: dg.RunRecord, scopes: Scopes) -> RunFacts:
    """Return what a finished run did about each of its assets; a dry run did nothing. Raises KeyError if it has not ended."""
    run = record.dagster_run
    if DRY_RUN_TAG in run.tags:
        return RunFacts(run_id=run.run_id, end=RUN_ENDS[run.status], ended_at=ended_at(record), assets=[])
    events = _events(instance, run.run_id, _RELEVANT)
    failures = _failures([stored.event for stored in events])
    assets = _by_asset(events, scopes) or _without_assets(run, record, events)
    interrupted = any(failure.error_class in INTERRUPTED for failure in failures.values())
    return RunFacts(
        run_id=run.run_id,
        end="canceled" if interrupted else RUN_ENDS[run.status],
        ended_at=ended_at(record),
        event_id=_last_event(events),
        assets=[
            AssetFacts(
                asset=name,
                planned=frozenset(found.planned),
                credited=found.credited,
                expected=frozenset(found.expected),
                evaluations=found.evaluations,
                failure=_failure_of(found, failures),
            )
            for name, found in sorted(assets.items())
        ],
    )


def ended_at(record: dg.RunRecord) -> datetime:
    """Return when a run ended; for a run that never started, when Dagster last updated it."""
    return datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp


def _without_assets(run: dg.DagsterRun, record: dg.RunRecord, events: Sequence[_Stored]) -> dict[str, _AssetEvents]:
    """Return what a run did that recorded nothing of an asset: each unit of its work is credited if the run succeeded.

    Such a run is of a job of ops, whose unit is the job, or of observations; or it failed before Dagster recorded its plan.
    """
    failed_steps = {stored.event.step_key for stored in events if stored.event.step_key}
    succeeded = run.status is dg.DagsterRunStatus.SUCCESS
    credit = {WHOLE_ASSET: Credit(ended_at(record), _last_event(events))} if succeeded else {}
    if run.asset_selection:  # the step of an observation has the name of its asset
        names = sorted(key.to_user_string() for key in run.asset_selection)
        return {name: _AssetEvents(failed_steps & {name}, {WHOLE_ASSET}, dict(credit)) for name in names}
    names = [info.name for info in ASSETS if info.job == run.job_name] or [run.job_name]
    return {name: _AssetEvents(failed_steps, {WHOLE_ASSET}, dict(credit)) for name in names}


def _events(instance: dg.DagsterInstance, run_id: str, kinds: set[dg.DagsterEventType]) -> list[_Stored]:
    records = instance.get_records_for_run(run_id, of_type=kinds).records
    return [
        _Stored(
            record.storage_id,
            datetime.fromtimestamp(record.event_log_entry.timestamp, UTC),
            record.event_log_entry.get_dagster_event(),
        )
        for record in records
    ]


def _last_event(events: Sequence[_Stored]) -> int:
    """Return the storage id of the run's own last event, or, if it has none, that of the report that it failed."""
    ids = [stored.event_id for stored in events]
    own = [stored.event_id for stored in events if not _is_from_outside(stored.event)]
    return max(own or ids, default=0)


def _is_from_outside(event: dg.DagsterEvent) -> bool:
    """Return whether another process stored the event: the report of a failure without data, or an event of the daemon."""
    reported = event.event_type is _Type.RUN_FAILURE and event.event_specific_data is None
    return reported or event.event_type is _Type.ENGINE_EVENT


def _by_asset(events: Iterable[_Stored], scopes: Scopes) -> dict[str, _AssetEvents]:
    assets: dict[str, _AssetEvents] = {}
    for stored in events:
        event = stored.event
        if event.event_type not in _OF_ASSETS:
            continue
        data: Any = event.event_specific_data
        asset = event.asset_key or data.asset_key
        found = assets.setdefault(asset.to_user_string(), _AssetEvents())
        if event.step_key:
            found.steps.add(event.step_key)
        match event.event_type:
            case _Type.ASSET_MATERIALIZATION:
                found.credited[event.partition or WHOLE_ASSET] = Credit(stored.at, stored.event_id)
            case _Type.ASSET_MATERIALIZATION_PLANNED:
                found.planned |= _planned_keys(data)
            case _Type.ASSET_CHECK_EVALUATION_PLANNED:
                found.expected.add(data.check_name)
            case _Type.ASSET_CHECK_EVALUATION if REPEATS not in data.metadata:
                found.evaluations.append(_evaluation(data, scopes))
    return assets


def _planned_keys(planned: Any) -> set[str]:
    if planned.partitions_subset is not None:
        return set(planned.partitions_subset.get_partition_keys())
    return {planned.partition or WHOLE_ASSET}


def _evaluation(evaluation: dg.AssetCheckEvaluation, scopes: Scopes) -> Evaluation:
    numbers = {name: value.value for name, value in evaluation.metadata.items()}
    partitions = str(numbers.pop(PARTITIONS, ""))
    numbers.pop(RUNBOOK, None)
    by_partition = numbers.pop(BY_PARTITION, None)
    return Evaluation(
        check=evaluation.check_name,
        passed=evaluation.passed,
        severity=evaluation.severity.value,
        blocking=bool(evaluation.blocking),
        description=evaluation.description or "",
        numbers=numbers,
        partitions=frozenset(partitions.split(", ")) if partitions else frozenset(),
        by_partition={key: int(str(count)) for key, count in by_partition.items()}
        if isinstance(by_partition, dict)
        else {},
        scope=scopes.get(evaluation.asset_check_key, "partitions"),
    )


def _failures(events: Sequence[dg.DagsterEvent]) -> dict[str, Failure]:
    """Return the failure of each failed step; if no step failed, that of the run, under NO_STEP."""
    steps = {}
    run: dict[str, Failure] = {}
    for event in events:
        error = getattr(event.event_specific_data, "error", None)  # a run that another process ended has no data
        if event.event_type is _Type.STEP_FAILURE and event.step_key:
            steps[event.step_key] = _failure(event.step_key, error, event.message)
        elif event.event_type is _Type.RUN_FAILURE:
            run[NO_STEP] = _failure(NO_STEP, error, event.message)
            if FROM_OUTSIDE in run[NO_STEP].reason:
                run[NO_STEP] = _launch_failure(events) or run[NO_STEP]
    return steps or run


def _launch_failure(events: Sequence[dg.DagsterEvent]) -> Failure | None:
    """Return why Dagster could not launch a run, from the last error that its daemon recorded; None if it recorded none."""
    errors = [
        getattr(event.event_specific_data, "error", None) for event in events if event.event_type is _Type.ENGINE_EVENT
    ]
    recorded = [error for error in errors if error is not None]
    if not recorded:
        return None
    found = _failure(NO_STEP, recorded[-1], None)
    reason = f"Dagster could not launch the run: {found.error_class}: {found.reason}"
    return Failure(NO_STEP, WITHOUT_EXCEPTION, reason[:REASON_CHARACTERS], found.stack)


def _failure(step: str, error: Any, message: str | None) -> Failure:
    """Describe an error by the exception at its root: Dagster's wrappers name what they wrap as their cause."""
    stack = error.to_string() if error else ""
    cause = root_cause(error) if error else None
    error_class = (cause.cls_name if cause else None) or WITHOUT_EXCEPTION
    text = str(cause.message if cause else message or "the run recorded no reason").strip()
    reason = text.removeprefix(f"{error_class}: ").partition("\n\nStack Trace:")[0]
    # Dagster may prefix the message with the module too: dagster._core.definitions.events.Failure: ...
    _, has_module, rest = reason.partition(f".{error_class}: ")
    return Failure(step, error_class, (rest if has_module else reason)[:REASON_CHARACTERS], stack[-STACK_CHARACTERS:])


def _failure_of(found: _AssetEvents, failures: Mapping[str, Failure]) -> Failure | None:
    """Return the failure of one of the asset's steps, or that of the run; None for an asset that was only skipped."""
    return next((failures[step] for step in (*sorted(found.steps), NO_STEP) if step in failures), None)
