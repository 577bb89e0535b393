"""A run pauses between its chunks while a DJ is live."""

from wxyc_assets.runs.progress import NoProgress


def test_run_pauses_before_its_first_chunk_while_a_dj_is_live(flowsheet):
    flowsheet.add_live_track()

    def go_quiet(_seconds):
        if len(flowsheet.slept) == 3:
            flowsheet.execute("UPDATE flowsheet SET add_time = now() - interval '1 hour' WHERE id = 5000")
        else:
            assert len(flowsheet.waiting()) == 480

    flowsheet.on_sleep = go_quiet
    report = flowsheet.run()
    assert report.verdict == "done", report.reason
    assert flowsheet.slept == [30.0] * 3
    assert report.counters.paused_ms == 90_000
    assert {done.run_paused_ms for done in flowsheet.credited} == {90_000}
    assert len(flowsheet.steps("live_activity_pause")) == len(flowsheet.notifications) == 3
    assert flowsheet.waiting() == set()


def test_run_pauses_between_chunks_once_a_dj_goes_live(flowsheet, small_chunks):
    def go_quiet(_seconds):
        waiting_at_pause.append(len(flowsheet.waiting()))
        flowsheet.remove_live_track()

    class GoLive(NoProgress):
        def advance(self, _count):
            if not waiting_at_pause and len(flowsheet.steps("chunk_done")) == 4:
                flowsheet.add_live_track()

    waiting_at_pause: list[int] = []
    flowsheet.on_sleep, flowsheet.progress = go_quiet, GoLive()
    report = flowsheet.run()
    assert waiting_at_pause == [280]
    assert (report.counters.paused_ms, report.counters.flipped) == (30_000, 480)


def test_run_continues_after_half_an_hour_of_pauses(flowsheet, small_chunks):
    flowsheet.add_live_track()
    report = flowsheet.run()
    assert report.verdict == "done", report.reason
    assert (len(flowsheet.slept), report.counters.paused_ms) == (60, 1_800_000)
    (warning,) = flowsheet.steps("live_activity_pause_ceiling_exceeded")
    assert warning["level"] == "warn"
    assert flowsheet.waiting() == set()


def test_run_never_pauses_with_a_lookback_of_zero(flowsheet):
    flowsheet.add_live_track()
    assert flowsheet.run(lookback_s=0).verdict == "done"
    assert flowsheet.slept == []
