"""A drain overlaps LML calls with writes."""

import time

from tests.run_harness import ConcurrentCalls, RecordedProgress
from tests.wxyc_assets.assets.rotation_identity.fake_lml import minted, release, serve_identities


def test_eight_calls_are_in_flight_and_never_more(rotation):
    """No call is answered until eight are in flight."""
    calls = ConcurrentCalls(minted, 8)
    with serve_identities(calls) as lml:
        report = rotation.run(lml.url)
    assert report.verdict == "done"
    assert calls.most == 8


def test_answers_are_written_while_other_calls_are_in_flight(rotation):
    written = []

    def count_written(body):
        if release(body) == 1060:
            written.append(rotation.rows("SELECT count(*) FROM rotation WHERE lml_identity_id IS NOT NULL")[0][0])
        time.sleep(0.02)
        return minted(body)

    with serve_identities(count_written) as lml:
        rotation.run(lml.url)
    assert written[0] >= 20


def test_progress_receives_the_total_and_each_written_batch(rotation):
    rotation.progress = bar = RecordedProgress()
    with serve_identities(minted) as lml:
        rotation.run(lml.url)
    assert bar.calls == [("rotation_identity", 60, "rows"), 20, 20, 20, "finish"]
