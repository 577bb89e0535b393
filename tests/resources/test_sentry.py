"""What arrives at Sentry: the bytes of envelopes, over real HTTP where the wire matters."""

import contextvars
import json
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import dagster as dg
import pytest
import sentry_sdk

from resources.sentry import SentryConfig, open_sentry
from tests.resources.sentry_collector import AMPLE_S, CONFIG, KEY, Collector, attributes, raised
from tests.waiting import wait_for


class LmlDownError(Exception):
    pass


class HourFailedError(Exception):
    pass


# Spans


def test_a_run_arrives_with_names_ops_numbers_and_parents(ingest):
    opened = open_sentry(replace(CONFIG, dsn=ingest.dsn))
    sentry = opened.of_run("library-identity-consumer", "a-run")
    before = time.time()
    with sentry.span("library-identity-consumer.run", op="job.run", attributes={"consumer.scanned": 11}) as run:
        with sentry.span("lml.bulk_resolve_libraries", op="http.client", attributes={"lml.batch_size": 500}):
            sentry.error(raised(ValueError(f"Bearer {KEY}")), step="lml_error", extra={"batch_index": 3})
        run.set("consumer.rows_resolved", 7)
    sentry.message("unexpected", fingerprint=["album", "unexpected_index"], tags={"source": "x"}, extra={"n": 2})
    opened.close(AMPLE_S)
    error, message = ingest.payloads("event", 2)
    spans = {span["name"]: span for batch in ingest.payloads("span", 1) for span in batch["items"]}

    assert {path for path, _, _ in ingest.requests} == {"/api/42/envelope/"}
    assert all("sentry_key=public" in auth for _, auth, _ in ingest.requests)
    assert not any(KEY.encode() in body for _, _, body in ingest.requests)

    parent, child = spans["library-identity-consumer.run"], spans["lml.bulk_resolve_libraries"]
    assert child["parent_span_id"] == parent["span_id"]
    assert "parent_span_id" not in parent
    assert parent["trace_id"] == child["trace_id"]
    assert before <= parent["start_timestamp"] <= child["start_timestamp"] <= child["end_timestamp"]
    assert attributes(parent)["sentry.op"] == ("job.run", "string")
    assert attributes(parent)["consumer.scanned"] == (11, "integer")
    assert attributes(parent)["consumer.rows_resolved"] == (7, "integer")
    assert attributes(parent)["sentry.environment"] == ("test", "string")
    assert attributes(parent)["sentry.release"] == ("1.2.3", "string")
    assert attributes(child)["sentry.op"] == ("http.client", "string")
    assert attributes(child)["lml.batch_size"] == (500, "integer")

    of_run = {"repo": "wxyc_assets", "tool": "library-identity-consumer", "run_id": "a-run"}
    assert error["tags"] == {**of_run, "step": "lml_error"}
    assert error["extra"] == {"batch_index": 3}
    assert error["exception"]["values"][-1]["value"] == "Bearer [redacted]"
    assert error["contexts"]["trace"]["span_id"] == child["span_id"]
    assert (message["message"], message["level"]) == ("unexpected", "warning")
    assert message["fingerprint"] == ["album", "unexpected_index"]
    assert message["tags"] == {**of_run, "source": "x"}
    assert message["contexts"]["trace"]["trace_id"] == parent["trace_id"]


def test_an_envelope_of_the_sdks_thread_names_trace_and_project(ingest):
    sentry = open_sentry(replace(CONFIG, dsn=ingest.dsn))
    with sentry.span("run", op="job.run"):
        pass
    ingest.payloads("span", 1)  # the SDK's own thread sends a finished root span, without any flush
    sentry.close()
    trace = json.loads(ingest.requests[0][2].partition(b"\n")[0])["trace"]
    assert (trace["public_key"], trace["environment"], trace["release"]) == ("public", "test", "1.2.3")


def test_attributes_keep_their_type_without_nan_and_infinity(sentry, collector):
    given = {"int": 3, "zero": 0, "float": 2.0, "bool": True, "text": "x", "nan": float("nan"), "inf": float("inf")}
    with sentry.span("totals", op="job.totals", attributes=given) as span:
        span.set("late", 0.25)
        span.set("late_nan", float("nan"))
    sentry.flush()
    sent = attributes(collector.spans("totals")["totals"])
    assert {name: sent.get(name) for name in [*given, "late", "late_nan"]} == {
        "int": (3, "integer"),
        "zero": (0, "integer"),
        "float": (2.0, "double"),
        "bool": (True, "boolean"),
        "text": ("x", "string"),
        "late": (0.25, "double"),
        "nan": None,
        "inf": None,
        "late_nan": None,
    }


def test_spans_of_concurrent_workers_have_their_own_parents(sentry, collector):
    together = threading.Barrier(4)

    def work(name):
        with sentry.span(f"batch.{name}", op="batch"):
            together.wait(AMPLE_S)
            with sentry.span(f"call.{name}", op="http.client"):
                together.wait(AMPLE_S)
            together.wait(AMPLE_S)

    with sentry.span("run", op="job.run"), ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(contextvars.copy_context().run, work, name) for name in range(4)]
        [future.result() for future in futures]
        with sentry.span("after", op="x"):
            pass
    sentry.flush()
    spans = collector.spans("run", "after", *(f"{kind}.{name}" for kind in ("batch", "call") for name in range(4)))
    for name in range(4):
        assert spans[f"batch.{name}"]["parent_span_id"] == spans["run"]["span_id"]
        assert spans[f"call.{name}"]["parent_span_id"] == spans[f"batch.{name}"]["span_id"]
    assert spans["after"]["parent_span_id"] == spans["run"]["span_id"]
    assert len({span["trace_id"] for span in spans.values()}) == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, StopIteration])
def test_an_exception_marks_its_span_and_propagates(sentry, collector, error):
    with pytest.raises(error), sentry.span("run", op="job.run"), sentry.span("failing", op="x"):
        raise error
    with sentry.span("next", op="x"):
        pass
    sentry.flush()
    spans = collector.spans("run", "failing", "next")
    assert {name: span["status"] for name, span in spans.items()} == {
        "run": "error",
        "failing": "error",
        "next": "ok",
    }
    assert "parent_span_id" not in spans["next"]


def test_a_span_in_a_generator_may_end_in_another_context(sentry, collector):
    def body():
        with sentry.span("run", op="job.run"):
            yield 1
            yield 2

    generator = body()
    contextvars.copy_context().run(next, generator)
    contextvars.copy_context().run(generator.close)  # as the garbage collector or an executor's thread may do
    sentry.flush()
    assert collector.spans("run")["run"]["status"] == "error"


def test_an_unsampled_trace_sends_no_span_but_every_error(collector):
    sentry = open_sentry(replace(CONFIG, traces_sample_rate=0.0), transport=collector)
    with sentry.span("run", op="job.run", attributes={"n": 1}) as span, sentry.span("child", op="x"):
        span.set("late", 2)
        sentry.error(raised(ValueError("no")), step="x")
        sentry.message("m", fingerprint=["m"])
    sentry.close()
    assert collector.items("span") == []
    assert len(collector.events()) == 2


def test_the_command_line_is_not_sent(sentry, collector, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["wxyc", "--private-argument"])
    with sentry.span("run", op="job.run"):
        sentry.message("m", fingerprint=["m"])
    sentry.flush()
    assert not any(b"private-argument" in body for body in collector.bodies)


# Errors, messages, breadcrumbs


def test_runs_that_share_a_client_have_their_own_tags(sentry, collector):
    one, two = sentry.of_run("rater", "r-1"), sentry.of_run("rotation-artist-backfill", "r-2")
    with one.span("run", op="job.run"), two.span("run", op="job.run"):
        one.error(raised(ValueError("a")), step="failed")
        two.message("b", fingerprint=["b"], tags={"run_id": "of the caller"})
    two.error(raised(ValueError("c")), step="failed")
    assert [(event["tags"]["tool"], event["tags"]["run_id"]) for event in collector.events()] == [
        ("rater", "r-1"),
        ("rotation-artist-backfill", "of the caller"),
        ("rotation-artist-backfill", "r-2"),
    ]


def test_one_exception_is_one_event_however_often_it_is_reported(sentry, collector):
    error = raised(ValueError("once"))
    sentry.error(error, step="writer_error")
    sentry.error(error, step="failed")
    sentry.error(raised(ValueError("once")), step="failed")
    assert [event["tags"]["step"] for event in collector.events()] == ["writer_error", "failed"]


def test_a_cause_is_shown_and_an_exception_of_ours_stays(sentry, collector):
    error = LmlDownError("LML is down")
    error.__cause__ = raised(TimeoutError("read"))
    sentry.error(raised(error), step="lml_error", fingerprint=["lml", "down"])
    (event,) = collector.events()
    assert [value["type"] for value in event["exception"]["values"]] == ["TimeoutError", "LmlDownError"]
    assert event["fingerprint"] == ["lml", "down"]


def test_a_step_of_dagster_is_reported_once_without_wrappers(sentry, collector):
    @dg.failure_hook
    def report(context):
        sentry.error(context.op_exception, step="failed")

    @dg.op
    def failing():
        with sentry.span("run", op="job.run"):
            cause = raised(HourFailedError("hour 17"))
            sentry.error(cause, step="writer_error")
            raise dg.Failure("1 of 24 hours failed", allow_retries=False) from cause

    @dg.job(hooks={report})
    def job():
        failing()

    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            raise_on_error=False,
            instance=instance,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    assert not result.success
    (event,) = collector.events()
    assert event["exception"]["values"][-1]["type"] == "HourFailedError"
    assert event["tags"] == {"repo": "wxyc_assets", "step": "writer_error"}


def test_wrappers_of_dagster_are_removed_a_bare_failure_is_not(sentry, collector):
    cause = raised(ValueError("the cause"))
    wrapped = dg.DagsterExecutionStepExecutionError(
        "outer",
        user_exception=cause,
        original_exc_info=(ValueError, cause, cause.__traceback__),
        step_key="s",
        op_name="o",
        op_def_name="o",
    )
    sentry.error(wrapped, step="a")
    sentry.error(raised(dg.Failure("no cause")), step="b")
    first, second = collector.events()
    assert [value["value"] for value in first["exception"]["values"]] == ["the cause"]
    assert second["exception"]["values"][-1]["type"] == "Failure"


def test_later_events_carry_the_newest_hundred_breadcrumbs(sentry, collector):
    for index in range(105):
        sentry.breadcrumb(category="album-level-backfill", message="unexpected_result_index", data={"index": index})
    sentry.message("m", fingerprint=["m"])
    (event,) = collector.events()
    crumbs = event["breadcrumbs"]["values"]
    assert [crumb["data"]["index"] for crumb in crumbs] == list(range(5, 105))
    assert (crumbs[0]["category"], crumbs[0]["message"]) == ("album-level-backfill", "unexpected_result_index")


# Configuration and process


def test_without_a_dsn_nothing_happens(monkeypatch):
    monkeypatch.setenv("SENTRY_DSN", "http://public@sentry.invalid/1")
    threads = threading.active_count()
    sentry = open_sentry(SentryConfig(dsn=None), transport=Collector)
    with sentry.span("run", op="job.run", attributes={"n": 1}) as span:
        span.set("late", 2)
    sentry.error(ValueError("no"), step="x")
    sentry.message("m", fingerprint=["m"])
    sentry.breadcrumb(category="c", message="m", data={})
    sentry.flush()
    sentry.close()
    assert threading.active_count() == threads
    with pytest.raises(KeyError, match="own"), sentry.span("run", op="x"):
        raise KeyError("own")


def test_after_close_nothing_is_sent_and_no_thread_is_left(ingest):
    threads = set(threading.enumerate())
    sentry = open_sentry(replace(CONFIG, dsn=ingest.dsn))
    with sentry.span("run", op="job.run"):
        sentry.close()
        sentry.close()
        sentry.message("m", fingerprint=["m"])
    sentry.error(ValueError("no"), step="x")
    sentry.flush()
    wait_for(
        lambda: not [t for t in set(threading.enumerate()) - threads if "entry" in t.name], "end of threads", AMPLE_S
    )
    assert ingest.requests == []


def test_two_runs_in_one_process_share_nothing():
    """No settings, no breadcrumbs, no traces."""
    first, second = Collector(), Collector()
    one = open_sentry(replace(CONFIG, environment="one"), transport=first)
    two = open_sentry(replace(CONFIG, environment="two", release=None), transport=second)
    one.breadcrumb(category="c", message="of one", data={})
    with one.span("run", op="x"), two.span("other", op="x"):
        one.message("1", fingerprint=["m"])
        two.message("2", fingerprint=["m"])
    one.close()
    with two.span("still open", op="x"):
        pass
    two.close()
    assert [event["message"] for event in first.events()] == ["1"]
    assert [event["message"] for event in second.events()] == ["2"]
    assert "release" not in second.events()[0]
    assert not second.events()[0].get("breadcrumbs", {}).get("values")
    spans = second.spans("other", "still open")
    assert attributes(spans["other"])["sentry.environment"] == ("two", "string")
    assert "sentry.release" not in attributes(spans["other"])
    assert "parent_span_id" not in spans["other"]
    assert set(spans) == {"other", "still open"}
    assert first.spans("run")["run"]["trace_id"] != spans["other"]["trace_id"]


def test_nothing_of_the_process_is_changed(collector):
    def hooks():
        return (sys.excepthook, threading.Thread.run, logging.Logger.callHandlers, subprocess.Popen.__init__)

    before = hooks()
    sentry = open_sentry(CONFIG, transport=collector)
    with sentry.span("run", op="x"):
        sentry.message("m", fingerprint=["m"])
        logging.getLogger("another").error("log of another library")
    assert not sentry_sdk.get_client().is_active()
    assert sentry_sdk.get_global_scope()._attributes == {}
    sentry.close()
    assert hooks() == before
    assert len(collector.events()) == 1


def test_dsn_and_secrets_stay_out_of_reprs_and_errors(sentry):
    assert "public" not in repr(CONFIG)
    assert KEY not in repr(CONFIG) + repr(sentry) + repr(vars(sentry))
    with pytest.raises(ValueError, match="not a Sentry DSN") as refused:
        open_sentry(replace(CONFIG, dsn="public-key-without-a-scheme"))
    assert "public-key" not in str(refused.value)
