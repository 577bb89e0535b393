"""The way from the cron jobs as docs/migration.md has it: what is said to stay is there, what is said to be gone is not."""

import inspect
import re

import click
import pytest

from resources.lml import endpoints
from tests.documents import MIGRATION, SETTINGS, code, environment, sources
from wxyc_assets.cli.program import cli
from wxyc_assets.rotation_cache.asking import CALLER as CACHE_JOB
from wxyc_assets.rotation_identity.asking import CALLER as IDENTITY_JOB

ROOMS = {
    "library-identity-consumer": ("wxyc_assets/library_identity",),
    "album-level-backfill": ("wxyc_assets/album_metadata", "wxyc_assets/flowsheet_enrichment"),
    "rotation-lml-identity-backfill": ("wxyc_assets/rotation_identity",),
    "rotation-artist-backfill": ("wxyc_assets/rotation_cache",),
    "rater": ("wxyc_assets/rated_usage",),
}


@pytest.mark.parametrize("tool", ROOMS)
def test_every_step_of_a_log_is_listed_and_every_listed_step_is_logged(tool):
    (row,) = (row for row in MIGRATION.table("tool", "steps that stay", "new", "gone") if code(row[0]) == [tool])
    stays, new, gone = (set(code(cell)) for cell in row[1:])
    text = sources(*ROOMS[tool], "wxyc_assets/recorded_run.py")
    logged = set(re.findall(r'(?:log\.(?:info|warning|error)|say)\(\s*"(\w+)"', text))
    assert len(logged) > 5
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
    assert runs[0] in sources("wxyc_assets/library_identity")


START_NOTHING = {"dead_runs", "alerts", "observe_station"}
"""Of ours; the last one observes what others own."""


def test_everything_that_starts_an_asset_has_the_name_that_is_switched_on():
    starters = {name for row in MIGRATION.table("job", "asset", "started by") for name in code(row[2])}
    assert starters == set(re.findall(r'^    name="(\w+)"', sources("sensors"), re.MULTILINE)) - START_NOTHING
    switched_on = re.findall(r"switch on `(\w+)`", MIGRATION.on_one_line)
    assert sorted(switched_on) == sorted(starters)


def test_what_stays_of_the_jobs_environment_is_read_and_what_does_not_is_not():
    options = {option for parameter in cli.get_command(click.Context(cli), "run").params for option in parameter.opts}
    for names, _, now in environment():
        verdict = now.split()[0].rstrip(";:")
        assert verdict in {"stays", "replaced", "gone"}
        assert {name in SETTINGS for name in code(names)} == {verdict == "stays"}, names
        if verdict == "replaced":
            (instead,) = code(now)
            assert instead in SETTINGS | options
