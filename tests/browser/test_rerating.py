"""An operator reads the plan of a re-rate, and then applies it."""

import re

from tests.browser.usage import HOUR, billed, key, sample_day

PLAN = "ops:\n  rated_usage_plan:\n    config:\n      since: '{since}'\n      until: '{until}'\n"

LATE = (
    "INSERT INTO billing_event (request_id, auth_id, resource_id, model, prompt_tokens, cached_tokens, completion_tokens, "
    "event_ts) VALUES ('late', 'key-late-show', 'deploy-embed', 'bge-m3', 120000, 0, 0, %s)"
)


def test_a_rerate_changes_what_its_plan_shows(ui, station):
    hour = sample_day(station) + 6 * HOUR
    before = billed(station, hour)
    station.execute(LATE, hour + HOUR / 2)

    ui.launch_job("plan_rated_usage", PLAN.format(since=hour.isoformat(), until=(hour + HOUR).isoformat()))
    ui.see_run_end()
    assert billed(station, hour) == before, "a plan changes no billed amount"

    ui.open_asset("rated_usage", "events")
    ui.see("dry run: nothing was written")
    row = ui.page.get_by_role("row").filter(has_text=key(hour).replace("-", "\N{NON-BREAKING HYPHEN}")).last
    _, inserted, changed, deleted, cost_before, cost_after, moved = row.inner_text().split()
    assert (inserted, changed, deleted, cost_before) == ("1", "0", "0", before[1])
    assert re.fullmatch(r"\+0\.\d{9}", moved)
    ui.picture("ui-plan.png")

    ui.launch(ui.choose_hours("rated_usage", key(hour), 1))
    ui.see_run_end()
    assert billed(station, hour) == (before[0] + 1, cost_after)
    ui.open_partition("rated_usage", key(hour))
    assert (ui.metadata("rows_inserted"), ui.metadata("cost_moved")) == ("1", moved.removeprefix("+"))
