"""What a run logs and reports to Sentry."""

import json

from tests.sentry_watch import watched_sentry
from tests.wxyc_assets.assets.rotation_identity.fake_lml import serve_identities
from tests.wxyc_assets.assets.rotation_identity.harness import TOOL


def test_each_kind_of_failure_reaches_sentry_once(rotation):
    """Calls that the circuit breaker refused are not reported."""
    rotation.sentry, collector = watched_sentry()
    with serve_identities(lambda _body: (500, {})) as lml:
        rotation.run(lml.url, client={"breaker_threshold": 2})
        lml.say = lambda _body: (401, {})
        rotation.run(lml.url)
    rotation.sentry.flush()
    assert [event["fingerprint"] for event in collector.events] == [
        [TOOL, "lml_error", "LmlServerError"],
        [TOOL, "lml_error", "LmlAuthError"],
    ]
    assert collector.events[0]["extra"]["first_rotation_id"] == 1
    rotation.sentry.close()


def test_no_log_line_contains_the_key(rotation):
    with serve_identities(lambda _body: json.dumps({"message": "sandbox-key"}).encode()) as lml:
        rotation.run(lml.url)
    assert "sandbox-key" not in rotation.stream.getvalue()
