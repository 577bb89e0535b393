"""Builds the facts of runs that the rules decide on."""

from datetime import UTC, datetime

from wxyc_assets.monitoring.alerts.run_facts import WHOLE_ASSET, AssetFacts, Credit, Evaluation, Failure, RunFacts

AT = datetime(2026, 3, 4, 5, tzinfo=UTC)
TIMEOUT = Failure("step", "TimeoutError", "LML did not answer", "Traceback")
BLOCKING_CHECK = Failure("step", "DagsterAssetCheckFailedError", "blocking checks failed")


def asset(name="album_metadata", *, planned="0 1", done="0 1", **fields):
    """An asset with its planned and credited partitions, separated by spaces; none: an asset without partitions."""
    keys = frozenset(planned.split()) if planned else frozenset({WHOLE_ASSET})
    return AssetFacts(
        asset=name,
        planned=keys,
        credited=dict.fromkeys(done.split() if planned else {WHOLE_ASSET} if done else (), Credit(AT)),
        **fields,
    )


def run(*assets, end="success", run_id="run"):
    return RunFacts(run_id, end, AT, assets)


def passed(check="a_check", **fields):
    return Evaluation(check, passed=True, severity="ERROR", **fields)


def failed(check="a_check", severity="ERROR", **fields):
    return Evaluation(check, passed=False, severity=severity, **fields)
