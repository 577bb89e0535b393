"""Reads what a run did from Dagster's events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias, get_args

import dagster as dg

from wxyc_assets.alerts.story import WHOLE, AssetStory, Evaluation, RunEnd, RunStory, Trouble
from wxyc_assets.check_results import PARTITIONS
from wxyc_assets.check_specs import SCOPE
from wxyc_assets.finding import Scope

Scopes: TypeAlias = Mapping[dg.AssetCheckKey, Scope]

ENDS: Mapping[dg.DagsterRunStatus, RunEnd] = {
    dg.DagsterRunStatus.SUCCESS: "success",
    dg.DagsterRunStatus.FAILURE: "failure",
    dg.DagsterRunStatus.CANCELED: "canceled",
}

NO_STEP = "run"
"""In the place of a step's name where a run failed, and none of its steps did."""

WITHOUT_EXCEPTION = "RunFailure"
"""In the place of an exception's class where Dagster knows of none, as of a run whose process is gone."""

REASON_CHARACTERS = 1000
STACK_CHARACTERS = 8000

_Type = dg.DagsterEventType
_TOLD = {
    _Type.ASSET_MATERIALIZATION,
    _Type.ASSET_MATERIALIZATION_PLANNED,
    _Type.ASSET_CHECK_EVALUATION_PLANNED,
    _Type.ASSET_CHECK_EVALUATION,
    _Type.STEP_FAILURE,
    _Type.RUN_FAILURE,
}


@dataclass
class _Draft:
    """What the events that were read so far say of one asset."""

    steps: set[str] = field(default_factory=set)
    planned: set[str] = field(default_factory=set)
    credited: dict[str, datetime] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)
    evaluations: list[Evaluation] = field(default_factory=list)


def scopes_of(definitions: Iterable[dg.AssetsDefinition]) -> Scopes:
    """Return what the result of each check speaks of, from the specs of these assets. Raises ValueError for a foreign word."""
    scopes: dict[dg.AssetCheckKey, Scope] = {}
    for assets in definitions:
        for spec in assets.check_specs:
            said = spec.metadata.get(SCOPE, "partitions")
            if said not in get_args(Scope):
                raise ValueError(f"{spec.key}: {SCOPE} is {said!r}, and must be one of {get_args(Scope)}")
            scopes[spec.key] = said
    return scopes


def read_credits(instance: dg.DagsterInstance, run_id: str) -> Mapping[str, Mapping[str, datetime]]:
    """Return when a run, finished or not, credited which partitions of which assets."""
    drafts = _drafts(_events(instance, run_id, {_Type.ASSET_MATERIALIZATION}), {})
    return {asset: draft.credited for asset, draft in drafts.items()}


def read_story(instance: dg.DagsterInstance, record: dg.RunRecord, scopes: Scopes) -> RunStory:
    """Return what a finished run did about each of its assets. Raises KeyError for one that has not ended."""
    run = record.dagster_run
    events = _events(instance, run.run_id, _TOLD)
    troubles = _troubles(event for _, event in events)
    drafts = _drafts(events, scopes)
    if not drafts and troubles:  # it failed before Dagster had written down what it was to do
        drafts = {run.job_name: _Draft(planned={WHOLE})}
    return RunStory(
        run_id=run.run_id,
        end=ENDS[run.status],
        ended_at=ended_at(record),
        assets=[
            AssetStory(
                asset=asset,
                planned=frozenset(draft.planned),
                credited=draft.credited,
                expected=frozenset(draft.expected),
                evaluations=draft.evaluations,
                trouble=_trouble_of(draft, troubles),
                dry_run=_is_dry(run.run_config, draft.steps),
            )
            for asset, draft in sorted(drafts.items())
        ],
    )


def ended_at(record: dg.RunRecord) -> datetime:
    """Return when a run ended; of one that never began, when it was last heard of."""
    return datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp


def _events(
    instance: dg.DagsterInstance, run_id: str, kinds: set[dg.DagsterEventType]
) -> list[tuple[datetime, dg.DagsterEvent]]:
    entries = [record.event_log_entry for record in instance.get_records_for_run(run_id, of_type=kinds).records]
    return [(datetime.fromtimestamp(entry.timestamp, UTC), entry.get_dagster_event()) for entry in entries]


def _drafts(events: Iterable[tuple[datetime, dg.DagsterEvent]], scopes: Scopes) -> dict[str, _Draft]:
    drafts: dict[str, _Draft] = {}
    for at, event in events:
        if event.event_type in {_Type.STEP_FAILURE, _Type.RUN_FAILURE}:
            continue
        data: Any = event.event_specific_data
        asset = event.asset_key or data.asset_key
        draft = drafts.setdefault(asset.to_user_string(), _Draft())
        if event.step_key:
            draft.steps.add(event.step_key)
        match event.event_type:
            case _Type.ASSET_MATERIALIZATION:
                draft.credited[event.partition or WHOLE] = at
            case _Type.ASSET_MATERIALIZATION_PLANNED:
                draft.planned |= _keys(data)
            case _Type.ASSET_CHECK_EVALUATION_PLANNED:
                draft.expected.add(data.check_name)
            case _Type.ASSET_CHECK_EVALUATION:
                draft.evaluations.append(_evaluation(data, scopes))
    return drafts


def _keys(planned: Any) -> set[str]:
    if planned.partitions_subset is not None:
        return set(planned.partitions_subset.get_partition_keys())
    return {planned.partition or WHOLE}


def _evaluation(said: dg.AssetCheckEvaluation, scopes: Scopes) -> Evaluation:
    numbers = {name: value.value for name, value in said.metadata.items()}
    told = str(numbers.pop(PARTITIONS, ""))
    return Evaluation(
        check=said.check_name,
        passed=said.passed,
        severity=said.severity.value,
        blocking=bool(said.blocking),
        description=said.description or "",
        numbers=numbers,
        partitions=frozenset(told.split(", ")) if told else frozenset(),
        scope=scopes.get(said.asset_check_key, "partitions"),
    )


def _troubles(events: Iterable[dg.DagsterEvent]) -> dict[str, Trouble]:
    """Return why which step failed; where none did, why the run did, under NO_STEP."""
    troubles = {}
    whole: dict[str, Trouble] = {}
    for event in events:
        error = getattr(event.event_specific_data, "error", None)  # of a run that somebody else ended there is no data
        if event.event_type is _Type.STEP_FAILURE and event.step_key:
            troubles[event.step_key] = _trouble(event.step_key, error, event.message)
        elif event.event_type is _Type.RUN_FAILURE:
            whole[NO_STEP] = _trouble(NO_STEP, error, event.message)
    return troubles or whole


def _trouble(step: str, error: Any, message: str | None) -> Trouble:
    """Describe an error by the exception at its root: Dagster's wrappers name what they wrap as its cause."""
    stack = error.to_string() if error else ""
    while error and error.cause:
        error = error.cause
    root = (error.cls_name if error else None) or WITHOUT_EXCEPTION
    said = str(error.message if error else message or "it ended without saying why").strip()
    reason = said.removeprefix(f"{root}: ").partition("\n\nStack Trace:")[0]
    # Of a class of a module, Dagster quotes the module too: dagster._core.definitions.events.Failure: ...
    _, found, rest = reason.partition(f".{root}: ")
    return Trouble(step, root, (rest if found else reason)[:REASON_CHARACTERS], stack[-STACK_CHARACTERS:])


def _trouble_of(draft: _Draft, troubles: Mapping[str, Trouble]) -> Trouble | None:
    """Return the trouble of an asset: that of a step of its own, or the run's. An asset that was only skipped has none."""
    return next((troubles[step] for step in (*sorted(draft.steps), NO_STEP) if step in troubles), None)


def _is_dry(run_config: Mapping[str, Any], steps: Iterable[str]) -> bool:
    ops = run_config.get("ops") or {}
    return any(bool(((ops.get(step) or {}).get("config") or {}).get("dry_run")) for step in steps)
