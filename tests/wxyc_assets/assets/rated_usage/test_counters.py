from wxyc_assets.assets.rated_usage.counters import Counters, RatingResult, sum_results
from wxyc_assets.assets.rated_usage.money import Usd

ONE = RatingResult(Counters(events=3, events_rated=2, unpriced_events=1), Usd(5), Usd(4), Usd(2), Usd(1))


def test_results_add_up_by_counter_and_to_the_nano_dollar():
    total = sum_results([ONE, ONE])
    assert total == RatingResult(Counters(events=6, events_rated=4, unpriced_events=2), Usd(10), Usd(8), Usd(4), Usd(2))
    assert sum_results([]) == RatingResult()


def test_money_is_an_amount_in_totals_and_text_in_the_ledger():
    """The command line prints the totals."""
    assert ONE.totals()["cost_moved"] == Usd(1)
    assert ONE.stored()["cost_moved"] == "0.000000001"
    assert list(ONE.totals()) == list(ONE.stored())


def test_anomalies_are_the_events_that_were_not_billed():
    assert (
        Counters(unpriced_events=1, unattributable_events=2, ambiguous_base_events=4, uncharged_events=8).anomalies == 7
    )


def test_changes_are_inserted_changed_and_deleted_rows():
    assert Counters(rows_inserted=1, rows_changed=2, reconciled_deletions=4, rows_unchanged=8).changes == 7
