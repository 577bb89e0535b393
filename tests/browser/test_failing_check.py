"""An operator finds the failed check, and the numbers that decided it."""

import re

from playwright.sync_api import expect

from tests.browser.identities import ELIGIBLE, MAKE_SHARD_STALE, stale_count

SHARD = 5
FOREIGN = 3


def test_a_failed_check_shows_its_promise_reason_and_numbers(ui, station):
    station.execute(MAKE_SHARD_STALE, SHARD)
    station.arm_fault(endpoint="bulk-resolve-libraries", kind="foreign", count=FOREIGN)

    ui.launch(ui.choose_shard("library_identity", SHARD))
    ui.see_run_end("Failure")
    assert stale_count(station, SHARD) == FOREIGN, "the run writes no answer about other libraries"

    ui.open_asset("library_identity")
    ui.page.get_by_role("tab", name="Checks").click()
    ui.see("answers_trusted").click()
    ui.see("Failed")
    ui.see(re.compile("LML answered for exactly the libraries of each request"))
    ui.see(re.compile("LML answered for libraries that were not in the request"))
    ui.see("blocking")
    numbers = ui.page.get_by_role("row").filter(has_text="lml_untrusted_library_id")
    assert str(FOREIGN) in numbers.first.inner_text()
    ui.picture("ui-check.png")

    # Executed alone, the checks repeat what the run found: neither the failed nor the passed ones change.
    ui.open_asset("library_identity", "checks")
    ui.page.get_by_role("button", name="Execute all").click()
    ui.see("answers_trusted").click()
    ui.reload_until(ui.shows("repeats_run"), "repeated evaluation")
    ui.see("Failed")
    ui.see("accounting_holds").click()
    ui.see("repeats_run")
    ui.see("Passed")

    ui.open_asset("library_identity", "partitions")
    ui.see("Failed (1)")

    # The alert names the shard, the cause and the next command, and links to the run.
    def alert():
        return next((one for one in station.printed("alerts")["alerts"] if one["source"] == "answers_trusted"), None)

    ui.reload_until(lambda: alert() is not None, "alert")
    found = alert()
    assert found["about"] == f"shard {SHARD}"
    assert found["next_command"] == f"wxyc run library_identity --partition {SHARD}"
    ui.page.goto(found["run"])
    ui.see("Failure")
    ui.see(found["run"].rsplit("/", 1)[1][:8])

    # Without the fault the next run succeeds, and asks LML about the remaining libraries.
    ui.launch(ui.choose_shard("library_identity", SHARD))
    ui.see_run_end()
    assert stale_count(station, SHARD) == 0
    ui.open_asset("library_identity", "partitions")
    ui.see("Failed (0)")


def test_a_backfill_is_red_where_an_answer_was_foreign(ui, station):
    """Of 16 shards the one with foreign answers is not credited; "failed and missing" finds it and nothing else."""
    station.execute("UPDATE library_identity SET last_verified_at = now() - interval '10 days'")
    station.arm_fault(endpoint="bulk-resolve-libraries", kind="foreign", count=FOREIGN)

    dialog = ui.choose_all_shards("library_identity")
    dialog.get_by_role("button", name="Launch backfill").click()
    ui.see_notice("Created backfill")
    ui.page.goto("/runs?view=backfills")
    ui.reload_until(ui.shows("Failure"), "failed backfill")

    ui.open_asset("library_identity", "partitions")
    ui.see("Failed (1)")
    ui.see("Materialized (15)")

    (shard,) = {row[0] % 16 for row in station.rows(ELIGIBLE)}
    ui.launch(ui.choose_shard("library_identity", shard))
    ui.see_run_end()
    ui.open_asset("library_identity", "partitions")
    ui.see("Failed (0)")


def test_checks_of_a_healthy_asset_stay_green_when_executed(ui):
    ui.open_asset("rated_usage", "checks")
    ui.page.get_by_role("button", name="Execute all").click()
    ui.see("accounting_holds").click()
    ui.reload_until(ui.shows("repeats_run"), "repeated evaluation")
    expect(ui.page.get_by_text("Failed", exact=True)).to_have_count(0)
    ui.see("trailing_hours_rated").click()
    ui.see(re.compile("it evaluates the present state"))
    ui.see("Passed")
