"""docs/migration.md agrees with the code: what stays is there, and what is gone is not."""

import inspect
import re

import click
import pytest

from resources.lml import endpoints
from tests.documents import MIGRATION, SETTINGS, code, environment, sources
from wxyc_assets.assets.registry import ASSETS
from wxyc_assets.assets.rotation_cache.lml_requests import CALLER as CACHE_JOB
from wxyc_assets.assets.rotation_identity.lml_requests import CALLER as IDENTITY_JOB
from wxyc_assets.cli.program import cli

STATISTICS = "wxyc_assets/runs/table_statistics.py"
BREAKER = "wxyc_assets/runs/breaker_watch.py"
LIFECYCLE = "wxyc_assets/runs/lifecycle.py"
ROOMS = {
    "library-identity-consumer": ("wxyc_assets/assets/library_identity", STATISTICS, LIFECYCLE),
    "album-level-backfill": (
        "wxyc_assets/assets/album_metadata",
        "wxyc_assets/assets/flowsheet_enrichment",
        STATISTICS,
        BREAKER,
        LIFECYCLE,
    ),
    "rotation-lml-identity-backfill": ("wxyc_assets/assets/rotation_identity", LIFECYCLE),
    "rotation-artist-backfill": ("wxyc_assets/assets/rotation_cache", BREAKER, LIFECYCLE),
    "rater": ("wxyc_assets/assets/rated_usage", LIFECYCLE),
    "lml": ("wxyc_assets/factories.py", "resources/lml"),
}


def test_every_tool_of_the_log_is_listed():
    """Those of the assets, and those that resources log under."""
    named = set(re.findall(r'console\.log\("([\w-]+)"', sources("wxyc_assets/orchestration")))
    assert named | {info.tool for info in ASSETS} == set(ROOMS)


@pytest.mark.parametrize("tool", ROOMS)
def test_the_listed_steps_are_those_of_the_log(tool):
    (row,) = (row for row in MIGRATION.table("tool", "steps that stay", "new", "gone") if code(row[0]) == [tool])
    stays, new, gone = (set(code(cell)) for cell in row[1:])
    text = sources(*ROOMS[tool])
    logged = set(re.findall(r'(?:log\.(?:info|warning|error)|say|self\._warn)\(\s*"(\w+)"', text))
    assert len(logged) >= 5
    assert logged <= stays | new
    assert {step for step in stays | new if f'"{step}"' not in text} == set()
    assert {step for step in gone if f'"{step}"' in text} == set()
    assert not stays & new
    assert not (stays | new) & gone


def test_every_span_that_dashboards_read_is_sent_under_its_name():
    spans = [
        value.span for _, value in inspect.getmembers(endpoints) if isinstance(value, endpoints.Endpoint) and value.span
    ]
    runs = ["library-identity-consumer.run", f"{CACHE_JOB}.run", f"{CACHE_JOB}.run.totals", f"{IDENTITY_JOB}.run"]
    shown = {name for row in MIGRATION.table("what dashboards read", "now") for name in code(row[0])}
    assert {*spans, *runs} <= shown
    assert runs[0] in sources("wxyc_assets/assets/library_identity")


START_NOTHING = {
    *("dead_runs", "alerts", "rotation_days"),
    *("observe_station", "seal_old_hours", "prune_old_storage", "after_outage"),
}
"""They start no asset of ours by themselves: of the last four, one observes external tables, one seals, one removes what is
old, and one repeats what others started."""


def test_sensors_and_schedules_have_the_names_of_the_page():
    starters = {name for row in MIGRATION.table("job", "asset", "started by") for name in code(row[2])}
    assert starters == set(re.findall(r'^    name="(\w+)"', sources("sensors"), re.MULTILINE)) - START_NOTHING
    switched_on = re.findall(r"switch on `(\w+)`", MIGRATION.on_one_line)
    assert sorted(switched_on) == sorted(starters)


def test_exactly_the_variables_that_stay_are_settings():
    run = cli.get_command(click.Context(cli), "run")
    assert run
    options = {option for parameter in run.params for option in parameter.opts}
    for names, _, now in environment():
        verdict = now.split()[0].rstrip(";:")
        assert verdict in {"stays", "replaced", "gone"}
        assert {name in SETTINGS for name in code(names)} == {verdict == "stays"}, names
        if verdict == "replaced":
            (instead,) = code(now)
            assert instead in SETTINGS | options
