"""The log of Discogs calls: windows, the peak and the totals."""

from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.sandbox.lml.call_log import NS_PER_S, Call, CallLog


def test_calls_a_whole_window_apart_are_in_two_windows():
    log = CallLog(window_ns=60 * NS_PER_S)
    log.record(0, "lookup")
    log.record(60 * NS_PER_S, "lookup")
    assert log.peak == 1
    log.record(60 * NS_PER_S + 1, "lookup")
    assert log.peak == 2


@given(st.lists(st.integers(0, 30), max_size=60))
def test_the_peak_is_the_fullest_window_so_far(gaps):
    log = CallLog(window_ns=60)
    times = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    for at_ns in times:
        log.record(at_ns, "lookup")
    assert log.peak == max((sum(start <= other < start + 60 for other in times) for start in times), default=0)


def test_the_window_empties_while_totals_and_peak_stay():
    log = CallLog(window_ns=60)
    for at_ns, endpoint in enumerate(["lookup", "lookup", "refresh-for-identities"]):
        log.record(at_ns, endpoint)
    assert log.in_last_window(59) == 3
    assert log.in_last_window(61) == 1
    assert log.in_last_window(100) == 0
    assert (log.total, log.peak) == (3, 3)
    assert log.by_endpoint() == {"lookup": 2, "refresh-for-identities": 1}


def test_the_log_holds_the_last_calls_and_counts_all():
    log = CallLog(window_ns=60, keep=2)
    for at_ns in range(5):
        log.record(at_ns, "lookup")
    assert log.recent() == [Call(3, "lookup"), Call(4, "lookup")]
    assert log.total == 5
