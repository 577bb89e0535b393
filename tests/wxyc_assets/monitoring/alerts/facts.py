"""Makes the stories of runs that the rules are asked about."""

from datetime import UTC, datetime

from wxyc_assets.alerts.story import WHOLE, AssetStory, Evaluation, RunStory, Trouble

AT = datetime(2026, 3, 4, 5, tzinfo=UTC)
DISCORD = Trouble("step", "TimeoutError", "LML said nothing", "Traceback")
BLOCKED = Trouble("step", "DagsterAssetCheckFailedError", "blocking checks failed")


def asset(name="album_metadata", *, planned="0 1", done="0 1", **fields):
    """An asset whose planned and done partitions are named in two words each; none: an asset without partitions."""
    keys = frozenset(planned.split()) if planned else frozenset({WHOLE})
    return AssetStory(
        asset=name,
        planned=keys,
        credited=dict.fromkeys(done.split() if planned else {WHOLE} if done else (), AT),
        **fields,
    )


def story(*assets, end="success", run_id="run"):
    return RunStory(run_id, end, AT, assets)


def passed(check="a_check", **fields):
    return Evaluation(check, passed=True, severity="ERROR", **fields)


def failed(check="a_check", severity="ERROR", **fields):
    return Evaluation(check, passed=False, severity=severity, **fields)
