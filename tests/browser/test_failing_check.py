"""A person finds the check that failed, and the numbers it was decided on."""

import re

from tests.browser.identities import SHARD_IS_STALE, stale

SHARD = 5
FOREIGN = 3


def test_a_failed_check_says_what_was_promised_what_happened_and_in_which_numbers(ui, station):
    station.execute(SHARD_IS_STALE, SHARD)
    station.misbehave(endpoint="bulk-resolve-libraries", kind="foreign", count=FOREIGN)

    ui.launch(ui.choose_shard("library_identity", SHARD))
    ui.see_run_end("Failure")
    assert stale(station, SHARD) == FOREIGN, "what LML answered about others is written for nobody"

    ui.open_asset("library_identity")
    ui.page.get_by_role("tab", name="Checks").click()
    ui.see("answers_trusted").click()
    ui.see("Failed")
    ui.see(re.compile("LML answered exactly the libraries it was asked about"))
    ui.see(re.compile("LML answered about libraries that it was not asked about"))
    ui.see("blocking")
    numbers = ui.page.get_by_role("row").filter(has_text="lml_untrusted_library_id")
    assert str(FOREIGN) in numbers.first.inner_text()
    ui.picture("ui-check.png")

    # Mended, it is green again: the libraries that were left are asked by the next run.
    ui.launch(ui.choose_shard("library_identity", SHARD))
    ui.see_run_end()
    assert stale(station, SHARD) == 0
