from wxyc_assets.rated_usage.counters import Counters, Rated, summed
from wxyc_assets.rated_usage.money import Usd

ONE = Rated(Counters(events=3, events_rated=2, unpriced_events=1), Usd(5), Usd(4), Usd(2), Usd(1))


def test_hours_add_up_count_by_count_and_to_the_nano_dollar():
    total = summed([ONE, ONE])
    assert total == Rated(Counters(events=6, events_rated=4, unpriced_events=2), Usd(10), Usd(8), Usd(4), Usd(2))
    assert summed([]) == Rated()


def test_money_is_an_amount_for_the_command_line_and_text_for_the_ledger():
    assert ONE.totals()["cost_moved"] == Usd(1)
    assert ONE.stored()["cost_moved"] == "0.000000001"
    assert list(ONE.totals()) == list(ONE.stored())


def test_anomalies_are_the_events_that_were_not_billed():
    assert (
        Counters(unpriced_events=1, unattributable_events=2, ambiguous_base_events=4, uncharged_events=8).anomalies == 7
    )


def test_changes_are_the_rows_that_are_not_as_they_were():
    assert Counters(rows_inserted=1, rows_changed=2, reconciled_deletions=4, rows_unchanged=8).changes == 7
