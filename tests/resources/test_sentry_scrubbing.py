"""No key and no local variable is in anything that Sentry is sent, whatever text holds it."""

import json
import subprocess
import sys

import pytest

from tests.resources.sentry_collector import AMPLE_S, KEY, raised


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
    collector.spans("run [redacted]")
    assert len(collector.bodies) == 3
    assert b"lml-k3y-0123456789 in a source line".partition(b" ")[0] not in b"".join(collector.bodies)
    assert b"hunter2" not in b"".join(collector.bodies)
    assert b"[redacted] in a source line" in b"".join(collector.bodies)


def test_a_key_in_a_huge_text_is_not_cut_in_two_and_sent_by_half(sentry, collector):
    text = "x" * (100_000 - 12) + KEY
    sentry.error(raised(ValueError(text)), step="x", extra={"body": text})
    sentry.message(text, fingerprint=["m"])
    assert not any(KEY[:8].encode() in body for body in collector.bodies)


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
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=env, timeout=AMPLE_S)
    assert {path for path, _, _ in ingest.requests} == {"/api/42/envelope/"}
    assert KEY.encode() not in done.stdout + done.stderr + b"".join(body for _, _, body in ingest.requests)
    assert b"[sentry]" not in done.stderr  # the SDK's debug lines


def test_local_variables_are_not_sent(sentry, collector):
    def fail():
        hidden_local = KEY[::-1]
        raise ValueError(len(hidden_local))

    with pytest.raises(ValueError, match="18") as caught:
        fail()
    sentry.error(caught.value, step="x")
    assert KEY[::-1].encode() not in collector.bodies[0]
