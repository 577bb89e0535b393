"""The totals span that dashboards read: one for each run that has read its identities, however the run ends."""

import json
from contextlib import contextmanager

import psycopg
import pytest

from tests.sentry_watch import watched_sentry
from tests.wxyc_assets.assets.rotation_cache.fake_lml import all_warmed, mixed, serve_refreshes
from tests.wxyc_assets.assets.rotation_cache.harness import in_days, request
from wxyc_assets.assets.rotation_cache.plan import Batching
from wxyc_assets.assets.rotation_cache.run import run

NAME = "rotation-artist-backfill.run.totals"
COUNTERS = (
    *("identities_scanned", "identities_resolved", "warmed_releases", "warmed_artists"),
    *("not_found", "not_implemented", "lml_error"),
)


@pytest.fixture
def watched(rotation):
    rotation.sentry, collector = watched_sentry()
    yield rotation, collector
    rotation.sentry.close()


def spans(rotation, collector, name):
    rotation.sentry.flush()
    return [span for span in collector.spans if span["name"] == name]


def backfill(span):
    """The attributes that dashboards read, with their types."""
    attributes = span["attributes"]
    return {name: (one["value"], one["type"]) for name, one in attributes.items() if name.startswith("backfill.")}


def totals(*values, dry_run=0):
    names = ["backfill.dry_run", *(f"backfill.{name}" for name in COUNTERS)]
    return {name: (value, "integer") for name, value in zip(names, (dry_run, *values), strict=True)}


def test_the_totals_are_numbers_under_the_contracts_names(watched):
    rotation, collector = watched
    with serve_refreshes(mixed) as lml:
        rotation.run(lml.url)
    (span,) = spans(rotation, collector, NAME)
    assert backfill(span) == totals(60, 54, 42, 84, 6, 6, 6)
    assert span["attributes"]["sentry.op"]["value"] == "rotation-artist-backfill.totals"


def test_the_totals_are_json_numbers_in_the_sent_bytes(watched):
    rotation, collector = watched
    with serve_refreshes(mixed) as lml:
        rotation.run(lml.url)
    rotation.sentry.flush()
    lines = [
        line for envelope in collector.envelopes for line in envelope.serialize().split(b"\n") if NAME.encode() in line
    ]
    (span,) = [span for line in lines for span in json.loads(line)["items"] if span["name"] == NAME]
    assert {name: one["value"] for name, one in span["attributes"].items() if name.startswith("backfill.")} == {
        name: value for name, (value, _) in totals(60, 54, 42, 84, 6, 6, 6).items()
    }
    assert all(type(one["value"]) is int for name, one in span["attributes"].items() if name.startswith("backfill."))


def test_the_totals_are_attributes_at_the_start_of_the_span(rotation):
    opened = {}

    class Noting:
        """A Sentry that records the arguments of each span."""

        def __init__(self, inner):
            self.inner = inner

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def span(self, name, **given):
            opened[name] = given
            return self.inner.span(name, **given)

    with serve_refreshes(mixed) as lml, rotation.lml(lml.url) as client:
        rotation.sentry = Noting(rotation.sentry)
        run(request(), rotation.tools(client), lambda _report: None)
    assert opened[NAME] == {
        "op": "rotation-artist-backfill.totals",
        "attributes": {name: value for name, (value, _) in totals(60, 54, 42, 84, 6, 6, 6).items()},
    }


def test_the_run_is_the_parent_span_of_the_totals_and_all_calls(watched):
    rotation, collector = watched
    with serve_refreshes(all_warmed) as lml:
        rotation.run(lml.url, batching=Batching(20, 3))
    (run_span,) = spans(rotation, collector, "rotation-artist-backfill.run")
    (totals_span,) = spans(rotation, collector, NAME)
    calls = spans(rotation, collector, "lml.refresh_for_identities")
    assert run_span["attributes"]["sentry.op"]["value"] == "job.run"
    assert {one["parent_span_id"] for one in (totals_span, *calls)} == {run_span["span_id"]}
    assert len(calls) == 3
    for call in calls:
        attributes = {name: one["value"] for name, one in call["attributes"].items()}
        assert (attributes["sentry.op"], attributes["lml.batch_size"], attributes["lml.batch_timeout_ms"]) == (
            "http.client",
            20,
            360_000,
        )


def test_a_dry_run_has_totals(watched):
    rotation, collector = watched
    with serve_refreshes(all_warmed) as lml:
        rotation.run(lml.url, dry_run=True)
    (span,) = spans(rotation, collector, NAME)
    assert backfill(span) == totals(60, 0, 0, 0, 0, 0, 0, dry_run=1)


def test_a_run_against_an_lml_that_is_down_has_totals(watched):
    rotation, collector = watched
    with serve_refreshes(lambda _ids: (500, {})) as lml:
        rotation.run(lml.url)
    (span,) = spans(rotation, collector, NAME)
    assert backfill(span) == totals(60, 0, 0, 0, 0, 0, 60)


def test_an_empty_rotation_has_totals(watched):
    rotation, collector = watched
    rotation.execute("DELETE FROM rotation")
    with serve_refreshes(all_warmed) as lml:
        rotation.run(lml.url)
    (span,) = spans(rotation, collector, NAME)
    assert backfill(span) == totals(0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_run_that_is_stopped_has_the_totals_it_committed(watched, error):
    rotation, collector = watched

    class Ending:
        """A progress bar that raises after two batches."""

        wants_total = True
        done = 0

        def start(self, *_, **__):
            pass

        def advance(self, count):
            self.done += count
            if self.done == 20:
                raise error("enough")

        def finish(self):
            pass

    rotation.progress = Ending()
    with serve_refreshes(all_warmed) as lml, pytest.raises(error):
        rotation.run(lml.url)
    (span,) = spans(rotation, collector, NAME)
    assert backfill(span) == totals(20, 20, 20, 40, 0, 0, 0)
    assert rotation.rows("SELECT counters->>'identities_scanned' FROM wxyc_assets.tally") == [("20",)]


def test_a_run_that_loses_its_database_has_committed_totals(watched):
    rotation, collector = watched

    def pull_the_plug(ids):
        if ids[0] == 131:
            rotation.kill_sessions()
        return all_warmed(ids)

    with serve_refreshes(pull_the_plug) as lml:
        report = rotation.run(lml.url, batching=Batching(10, 1))
    (span,) = spans(rotation, collector, NAME)
    assert backfill(span)["backfill.identities_scanned"] == (report.counters.identities_scanned, "integer")
    assert report.counters.identities_scanned > 0


def test_a_run_that_reads_no_identities_has_no_totals_span(watched):
    """Another day, a closed gate, or a failed query end the run before."""
    rotation, collector = watched
    with serve_refreshes(all_warmed) as lml:
        rotation.run(lml.url, days=[str(in_days(-1))])
        lml.health = (503, {})
        rotation.run(lml.url)
        lml.health = {"commit_sha": "8a1344c"}
        rotation.execute("ALTER TABLE rotation RENAME lml_identity_id TO other")
        with pytest.raises(psycopg.Error):
            rotation.run(lml.url)
    assert spans(rotation, collector, NAME) == []
    assert len(spans(rotation, collector, "rotation-artist-backfill.run")) == 3


def test_a_failed_totals_span_is_logged_and_fails_nothing_else(rotation):
    class Failing:
        """A Sentry whose totals span fails."""

        def __init__(self, inner):
            self.inner = inner

        def __getattr__(self, name):
            return getattr(self.inner, name)

        @contextmanager
        def span(self, name, **given):
            if name == NAME:
                raise RuntimeError("no room for spans")
            with self.inner.span(name, **given) as span:
                yield span

    with serve_refreshes(all_warmed) as lml, rotation.lml(lml.url) as client:
        rotation.sentry = Failing(rotation.sentry)
        report = run(request(), rotation.tools(client), lambda report: rotation.credited.extend(report.request.days))
    assert (report.verdict, len(rotation.credited)) == ("done", 1)
    (line,) = rotation.steps("totals_span_failed")
    assert (line["level"], line["error_message"]) == ("warn", "no room for spans")
