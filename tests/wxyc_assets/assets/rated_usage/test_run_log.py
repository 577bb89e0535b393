"""What a run logs, and at which level."""

from tests.wxyc_assets.assets.rated_usage.harness import event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices

WINDOW = "[2026-06-08T10:00:00Z,2026-06-08T11:00:00Z)"


def of_the_rater(billing):
    """The lines that the predecessor had as well: the hour is old, so that token-push has to be run for it."""
    (*_, last) = billing.steps("push_needed")
    assert (last["level"], last["windows"][0]["since"]) == ("warn", "2026-06-08T10:00:00+00:00")
    return [line for line in billing.lines if line["step"] != "push_needed"]


def test_problems_are_logged_in_the_predecessors_order_and_words(billing):
    billing.prices = Prices({"one": ("0.000001",) * 3, "two": ("0.000002",) * 3})
    billing.add(event("one", request_id="gone", resource_id="gone"))
    billing.run()
    billing.execute("DELETE FROM billing_event")
    billing.add(event("one", (5, 0, 0)), event(None), event("unlisted"), event("unlisted"))
    billing.add(*(event("ft:x", base_model=base) for base in ("one", "two", "two")))
    billing.stream.truncate(0)
    billing.stream.seek(0)
    billing.run(origin="routine")
    logged = [
        (line["step"], line["level"], line["message"]) for line in of_the_rater(billing) if WINDOW in line["message"]
    ]
    assert logged == [
        ("ambiguous_base", "error", f"3 AMBIGUOUS-BASE events were left out in {WINDOW}"),
        ("unattributable", "error", f"1 UNATTRIBUTABLE billing_event rows in {WINDOW}"),
        ("unpriced", "error", f"2 UNPRICED events in {WINDOW}"),
        ("reconcile", "error", f"ROUTINE run: reconcile DELETED 1 rows in {WINDOW}"),
        (
            "summary",
            "error",
            (
                "rated 1 events into 1 rollups, total=0.000005000 USD, unpriced_events=2, "
                f"unattributable_events=1, ambiguous_base_events=3 in {WINDOW}"
            ),
        ),
    ]
    assert [line["count"] for line in billing.lines if "count" in line] == [3, 1, 2, 1]


def test_totals_and_explicit_deletions_are_logged_as_info(billing):
    billing.add(event())
    billing.run()
    billing.execute("DELETE FROM billing_event")
    billing.run()
    assert [line["level"] for line in of_the_rater(billing) if line["level"] != "info"] == []
    assert billing.steps("reconcile")[0]["message"] == f"EXPLICIT backfill: reconcile DELETED 1 rows in {WINDOW}"
    messages = [line["message"] for line in billing.steps("summary")]
    assert messages == [
        f"rated 1 events into 1 rollups, total=0.000500000 USD in {WINDOW}",
        f"rated 0 events into 0 rollups, total=0.000000000 USD in {WINDOW}",
    ]
