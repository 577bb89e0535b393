"""What arrives at Sentry: asserted on the bytes of envelopes, over real HTTP where the wire matters."""

import contextvars
import gzip
import http.server
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import dagster as dg
import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope, Item, PayloadRef
from sentry_sdk.transport import Transport

from resources.redaction import Redactor
from resources.scrubbing_transport import ScrubbingTransport
from resources.sentry import HANDED_ON_S, SentryConfig, open_sentry

KEY = "lml-k3y-0123456789"
CONFIG = SentryConfig(dsn="http://public@sentry.invalid/42", environment="test", release="1.2.3", secrets=(KEY,))


class LmlDownError(Exception):
    pass


class HourFailedError(Exception):
    pass


class Collector(Transport):
    """Keeps the bytes of every envelope that would have been sent."""

    def __init__(self):
        super().__init__()
        self.bodies = []

    def capture_envelope(self, envelope):
        self.bodies.append(envelope.serialize())

    def items(self, kind):
        return [payload for body in self.bodies for header, payload in parsed(body) if header["type"] == kind]

    def spans(self):
        return {span["name"]: span for batch in self.items("span") for span in batch["items"]}

    def events(self):
        return self.items("event")


def parsed(body):
    """Read an envelope by its published format, not by the SDK that wrote it."""
    _, _, rest = body.partition(b"\n")
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        header = json.loads(line)
        payload, rest = rest[: header["length"]], rest[header["length"] + 1 :]
        yield header, json.loads(payload)


@pytest.fixture
def collector():
    return Collector()


@pytest.fixture
def sentry(collector):
    sentry = open_sentry(CONFIG, transport=collector)
    yield sentry
    sentry.close()


@pytest.fixture
def ingest():
    """A loopback HTTP server in Sentry's place; ``ingest.requests`` holds (path, auth, decoded body)."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            elif self.headers["Content-Encoding"] == "br":
                body = pytest.importorskip("brotli").decompress(body)
            requests.append((self.path, self.headers["X-Sentry-Auth"], body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests = requests
        server.dsn = f"http://public@127.0.0.1:{server.server_port}/42"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def attributes(span):
    return {name: (value["value"], value["type"]) for name, value in span["attributes"].items()}


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


# Spans


def test_a_run_arrives_over_http_with_names_ops_numbers_and_parents(ingest):
    sentry = open_sentry(replace(CONFIG, dsn=ingest.dsn))
    before = time.time()
    with sentry.span("library-identity-consumer.run", op="job.run", attributes={"consumer.scanned": 11}) as run:
        with sentry.span("lml.bulk_resolve_libraries", op="http.client", attributes={"lml.batch_size": 500}):
            sentry.error(raised(ValueError(f"Bearer {KEY}")), step="lml_error", extra={"batch_index": 3})
        run.set("consumer.rows_resolved", 7)
    sentry.message("unexpected", fingerprint=["album", "unexpected_index"], tags={"source": "x"}, extra={"n": 2})
    sentry.close()

    assert {path for path, _, _ in ingest.requests} == {"/api/42/envelope/"}
    assert all("sentry_key=public" in auth for _, auth, _ in ingest.requests)
    assert not any(KEY.encode() in body for _, _, body in ingest.requests)

    items = [item for _, _, body in ingest.requests for item in parsed(body)]
    spans = {span["name"]: span for header, payload in items if header["type"] == "span" for span in payload["items"]}
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

    error, message = [payload for header, payload in items if header["type"] == "event"]
    assert error["tags"] == {"step": "lml_error"}
    assert error["extra"] == {"batch_index": 3}
    assert error["exception"]["values"][-1]["value"] == "Bearer [redacted]"
    assert error["contexts"]["trace"]["span_id"] == child["span_id"]
    assert (message["message"], message["level"]) == ("unexpected", "warning")
    assert message["fingerprint"] == ["album", "unexpected_index"]
    assert message["tags"] == {"source": "x"}
    assert message["contexts"]["trace"]["trace_id"] == parent["trace_id"]


def test_every_envelope_names_its_trace_and_project_whichever_thread_sends_it(ingest):
    sentry = open_sentry(replace(CONFIG, dsn=ingest.dsn))
    with sentry.span("run", op="job.run"):
        pass
    deadline = time.monotonic() + 5  # the SDK's own thread sends a finished root span, without any flush
    while not ingest.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    sentry.close()
    trace = json.loads(ingest.requests[0][2].partition(b"\n")[0])["trace"]
    assert (trace["public_key"], trace["environment"], trace["release"]) == ("public", "test", "1.2.3")


def test_attributes_keep_their_type_and_what_is_no_number_is_left_out(sentry, collector):
    given = {"int": 3, "zero": 0, "float": 2.0, "bool": True, "text": "x", "nan": float("nan"), "inf": float("inf")}
    with sentry.span("totals", op="job.totals", attributes=given) as span:
        span.set("late", 0.25)
        span.set("late_nan", float("nan"))
    sentry.flush()
    sent = attributes(collector.spans()["totals"])
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
            together.wait(10)
            with sentry.span(f"call.{name}", op="http.client"):
                together.wait(10)
            together.wait(10)

    with sentry.span("run", op="job.run"), ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(contextvars.copy_context().run, work, name) for name in range(4)]
        [future.result() for future in futures]
        with sentry.span("after", op="x"):
            pass
    sentry.flush()
    spans = collector.spans()
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
    assert {name: span["status"] for name, span in collector.spans().items()} == {
        "run": "error",
        "failing": "error",
        "next": "ok",
    }
    assert "parent_span_id" not in collector.spans()["next"]


def test_a_span_may_stay_open_across_the_yields_of_a_generator_that_somebody_else_closes(sentry, collector):
    def body():
        with sentry.span("run", op="job.run"):
            yield 1
            yield 2

    generator = body()
    contextvars.copy_context().run(next, generator)
    contextvars.copy_context().run(generator.close)  # as the garbage collector or an executor's thread may do
    sentry.flush()
    assert collector.spans()["run"]["status"] == "error"


def test_a_trace_that_is_not_sampled_sends_no_span_but_every_error(collector):
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


def test_one_exception_is_one_event_however_often_it_is_reported(sentry, collector):
    error = raised(ValueError("once"))
    sentry.error(error, step="writer_error")
    sentry.error(error, step="failed")
    sentry.error(raised(ValueError("once")), step="failed")
    assert [event["tags"]["step"] for event in collector.events()] == ["writer_error", "failed"]


def test_a_cause_is_shown_but_an_exception_of_ours_is_not_taken_off(sentry, collector):
    error = LmlDownError("LML is down")
    error.__cause__ = raised(TimeoutError("read"))
    sentry.error(raised(error), step="lml_error", fingerprint=["lml", "down"])
    (event,) = collector.events()
    assert [value["type"] for value in event["exception"]["values"]] == ["TimeoutError", "LmlDownError"]
    assert event["fingerprint"] == ["lml", "down"]


def test_a_step_of_dagster_is_reported_once_and_without_dagsters_wrappers(sentry, collector):
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
    assert event["tags"] == {"step": "writer_error"}


def test_dagsters_own_wrappers_are_taken_off_and_a_bare_failure_is_not(sentry, collector):
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


def test_breadcrumbs_are_carried_by_what_comes_later_the_newest_hundred(sentry, collector):
    for index in range(105):
        sentry.breadcrumb(category="album-level-backfill", message="unexpected_result_index", data={"index": index})
    sentry.message("m", fingerprint=["m"])
    (event,) = collector.events()
    crumbs = event["breadcrumbs"]["values"]
    assert [crumb["data"]["index"] for crumb in crumbs] == list(range(5, 105))
    assert (crumbs[0]["category"], crumbs[0]["message"]) == ("album-level-backfill", "unexpected_result_index")


def test_local_variables_are_not_sent(sentry, collector):
    def fail():
        hidden_local = KEY[::-1]
        raise ValueError(len(hidden_local))

    with pytest.raises(ValueError, match="18") as caught:
        fail()
    sentry.error(caught.value, step="x")
    assert KEY[::-1].encode() not in collector.bodies[0]


# Scrubbing


def test_the_key_is_in_no_byte_of_any_envelope(sentry, collector):
    class Lml:
        def __repr__(self):
            return f"Lml(key={KEY})"

    with sentry.span(f"run {KEY}", op=f"job {KEY}", attributes={f"a.{KEY}": KEY, "plain": 1}) as span:
        span.set(KEY, f"x{KEY}x")
        sentry.breadcrumb(category=KEY, message=KEY, data={"headers": {"Authorization": f"Bearer {KEY}"}, KEY: [KEY]})
        sentry.message(KEY, fingerprint=[KEY], tags={KEY: KEY}, extra={KEY: Lml(), "deep": [[[[[[[{"a": KEY}]]]]]]]})
        error = ValueError(f"lml-k3y-0123456789 in a source line, {KEY!r}, {json.dumps(KEY)}")
        error.add_note(KEY)
        error.__cause__ = OSError(f"postgresql://wxyc:hunter2@db/x?k={KEY}")
        sentry.error(raised(error), step=KEY, extra={"response": f'{{"k": "{KEY}"}}'}, fingerprint=[KEY])
    sentry.close()
    assert len(collector.bodies) == 3
    assert b"lml-k3y-0123456789 in a source line".partition(b" ")[0] not in b"".join(collector.bodies)
    assert b"hunter2" not in b"".join(collector.bodies)
    assert b"[redacted] in a source line" in b"".join(collector.bodies)


def test_a_key_in_a_huge_text_is_not_cut_in_two_and_sent_by_half(sentry, collector):
    text = "x" * (100_000 - 12) + KEY
    sentry.error(raised(ValueError(text)), step="x", extra={"body": text})
    sentry.message(text, fingerprint=["m"])
    assert not any(KEY[:8].encode() in body for body in collector.bodies)


@pytest.mark.parametrize(
    "item",
    [
        Item(type="event", payload=PayloadRef(json={"message": KEY, "number": float("nan")})),
        Item(type="transaction", payload=PayloadRef(json={"transaction": KEY, "spans": [{"data": {KEY: KEY}}]})),
        Item(type="span", payload=PayloadRef(json={"items": [{"name": KEY}]}), headers={"item_count": 1}),
        Item(type="log", payload=PayloadRef(json={"items": [{"body": KEY}]})),
        Item(type="session", payload=PayloadRef(json={"attrs": {"release": KEY}})),
        Item(type="check_in", payload=PayloadRef(json={"monitor_slug": KEY})),
        Item(type="client_report", payload=PayloadRef(json={"discarded_events": [{"reason": KEY}]})),
        Item(type="attachment", payload=json.dumps({"k": KEY}).encode(), filename=f"{KEY}.json"),
        Item(type="attachment", payload=f'"Authorization: {KEY}'.encode()),
        Item(type="a kind of next year", payload=f'["{KEY}"]'.encode()),
    ],
    ids=lambda item: item.type,
)
def test_every_kind_of_envelope_is_scrubbed_headers_too(collector, item):
    gate = ScrubbingTransport(collector, Redactor([KEY]))
    gate.capture_envelope(Envelope(headers={"trace": {"transaction": KEY}}, items=[item]))
    (body,) = collector.bodies
    assert KEY.encode() not in body
    assert body.count(b"[redacted]") >= 2
    assert json.loads(body.splitlines()[1])["type"] == item.type


def test_what_cannot_be_scrubbed_is_dropped_and_its_siblings_are_sent(collector):
    class Faulty(Redactor):
        def plain(self, value):
            if value == {"message": "trips the scrubber"}:
                raise RuntimeError
            return super().plain(value)

    items = [
        Item(type="attachment", payload=b"\xff\xfe" + KEY.encode()),
        Item(type="event", payload=PayloadRef(json={"message": "trips the scrubber"})),
        Item(type="session", payload=PayloadRef(json={"sid": "1"})),
    ]
    ScrubbingTransport(collector, Faulty([KEY])).capture_envelope(Envelope(items=items))
    (body,) = collector.bodies
    assert [header["type"] for header, _ in parsed(body)] == ["session"]
    ScrubbingTransport(collector, Faulty([KEY])).capture_envelope(Envelope(items=items[:2]))
    assert len(collector.bodies) == 1


def test_no_environment_variable_opens_a_way_around_the_scrubber(ingest):
    code = f"""
from resources.sentry import SentryConfig, open_sentry
sentry = open_sentry(SentryConfig(dsn={ingest.dsn!r}, secrets=({KEY!r},)))
with sentry.span({KEY!r}, op="x"):
    sentry.message({KEY!r}, fingerprint=["m"])
sentry.close()
"""
    spotlight = f"http://127.0.0.1:{ingest.server_port}/spotlight"
    env = {"SENTRY_SPOTLIGHT": spotlight, "SENTRY_PRINT_ENVELOPES": "1", "SENTRY_DEBUG": "1"}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=env, timeout=60)
    assert {path for path, _, _ in ingest.requests} == {"/api/42/envelope/"}
    assert KEY.encode() not in done.stdout + done.stderr + b"".join(body for _, _, body in ingest.requests)
    assert b"[sentry]" not in done.stderr  # the SDK's debug lines


# Configuration and process


def test_no_dsn_means_that_nothing_happens_at_all(monkeypatch):
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
    deadline = time.monotonic() + 5
    while (left := [t for t in threading.enumerate() if "entry" in t.name and t not in threads]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.01)
    assert left == []
    assert ingest.requests == []


def test_two_runs_in_one_process_share_neither_settings_nor_breadcrumbs_nor_traces():
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
    assert attributes(second.spans()["other"])["sentry.environment"] == ("two", "string")
    assert "sentry.release" not in attributes(second.spans()["other"])
    assert "parent_span_id" not in second.spans()["other"]
    assert set(second.spans()) == {"other", "still open"}
    assert first.spans()["run"]["trace_id"] != second.spans()["other"]["trace_id"]


def test_nothing_of_the_process_is_changed(collector):
    def hooks():
        return (sys.excepthook, threading.Thread.run, logging.Logger.callHandlers, subprocess.Popen.__init__)

    before = hooks()
    sentry = open_sentry(CONFIG, transport=collector)
    with sentry.span("run", op="x"):
        sentry.message("m", fingerprint=["m"])
        logging.getLogger("somebody").error("else's log")
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


# A Sentry that does not answer


def test_a_server_that_hangs_delays_a_run_once_by_the_flush_timeout_and_never_raises():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sentry = open_sentry(replace(CONFIG, dsn=f"http://public@127.0.0.1:{silent.getsockname()[1]}/42"))
        started = time.monotonic()
        for _ in range(200):  # more than the SDK queues
            with sentry.span("run", op="x"):
                sentry.message("m", fingerprint=["m"])
        assert time.monotonic() - started < 20  # 200 times the flush timeout would be 100
        started = time.monotonic()
        for _ in range(5):
            sentry.flush(0.5)
        sentry.close(0.5)
        assert 0.4 < time.monotonic() - started - 6 * HANDED_ON_S < 2  # six times would be 3


def test_a_server_that_is_down_neither_delays_nor_raises_nor_talks(capfd):
    sentry = open_sentry(replace(CONFIG, dsn="http://public@127.0.0.1:9/42"))
    sentry.error(raised(ValueError("no")), step="x")
    started = time.monotonic()
    sentry.close(2)
    assert time.monotonic() - started < 2.5
    assert capfd.readouterr() == ("", "")


def test_a_transport_that_fails_does_not_reach_the_run():
    class Broken(Transport):
        def capture_envelope(self, *_):
            raise RuntimeError("broken")

        def flush(self, *_):
            raise RuntimeError("broken")

    sentry = open_sentry(CONFIG, transport=Broken)
    with sentry.span("run", op="x"):
        sentry.error(raised(ValueError("no")), step="x")
    sentry.message("m", fingerprint=["m"])
    sentry.flush()
    sentry.close()
