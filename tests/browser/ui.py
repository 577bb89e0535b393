"""The Dagster UI as a person uses it: what they click and read, by roles, texts and addresses."""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import quote

from playwright.sync_api import Locator, Page, TimeoutError, expect  # noqa: A004

from tests.browser import pictures

PATIENCE_S = 90
"""For what a run or a daemon has to do first; they share two cores with the browser."""

HEADER_PX = 180
CARD_PX = 140
"""What is above the graph, and what of an asset is below its name."""

GROUPS = ("station", "identity", "metadata", "rotation", "billing")


class Ui:
    """One tab of a browser on a station."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def see(self, text: str | re.Pattern[str], *, within: Locator | None = None, patience_s: float = 30) -> Locator:
        """Wait until a text can be read, and return where."""
        found = (within or self.page.locator("body")).get_by_text(text, exact=isinstance(text, str))
        shown = found.filter(visible=True).first
        expect(shown).to_be_visible(timeout=patience_s * 1000)
        return shown

    def reload_until(self, there: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Load the page again until something can be seen on it: not every part of it refreshes itself."""
        deadline = time.monotonic() + patience_s
        while not there():
            assert time.monotonic() < deadline, f"{what} is not to be seen at {self.page.url}"
            self.page.wait_for_timeout(500)
            self.page.reload()
            self._settle()

    def reads(self, text: str) -> Callable[[], bool]:
        """Return whether a text can be read now, as something to ask again."""
        return lambda: self.page.get_by_text(text, exact=True).filter(visible=True).count() > 0

    def see_notice(self, text: str) -> None:
        """Wait until a notice comes up in the corner."""
        self.see(re.compile(text), within=self.page.get_by_role("region", name=re.compile("Notifications")))

    def metadata(self, name: str) -> str:
        """Return what the page shows of one entry of metadata."""
        row = self.page.get_by_role("row").filter(has=self.page.get_by_text(name, exact=True)).first
        return row.inner_text().split()[-1]

    # Pages

    def open_asset(self, asset: str, view: str = "overview", **place: str) -> None:
        """Open one view of an asset's page."""
        query = "".join(f"&{name}={quote(value)}" for name, value in place.items())
        self.page.goto(f"/assets/{asset}?view={view}{query}")
        self.see("Overview", within=self.page.get_by_role("tablist"))

    def open_partition(self, asset: str, partition: str) -> None:
        """Open one partition of an asset."""
        self.open_asset(asset, "partitions", partition=partition)
        self.see(partition)

    def choose_range(self, keys: str) -> None:
        """Let the page of partitions show some only."""
        field = self.page.get_by_role("textbox").first
        field.fill(keys)
        field.press("Enter")

    def open_graph(self) -> None:
        """Open the graph with all groups unfolded."""
        expanded = quote(",".join(f"global@global:{group}" for group in GROUPS), safe="")
        self.page.goto(f"/asset-groups?expanded={expanded}")
        self.see("Global asset lineage")

    def zoom_out_to(self, assets: Sequence[str]) -> None:
        """Zoom out until all of these can be seen at once."""
        smaller = self.page.get_by_role("button").filter(has=self.page.get_by_role("img", name="zoom_out"))
        for _ in range(12):
            if all(self._is_on_screen(asset) for asset in assets):
                return
            smaller.click()
            self.page.wait_for_load_state("networkidle")
        raise AssertionError(f"{assets} do not fit on the screen")

    def _is_on_screen(self, text: str) -> bool:
        """Tell whether a text, and what belongs below it, is within the part of the page that the graph has."""
        box = self.see(text).bounding_box()
        size = self.page.viewport_size
        assert box
        assert size
        return box["y"] > HEADER_PX and box["y"] < size["height"] - CARD_PX

    def bring_to_the_top(self, found: Locator) -> None:
        """Scroll until what was found is near the top."""
        found.evaluate(
            "element => { element.style.scrollMarginTop = '24px'; element.scrollIntoView({block: 'start'}) }"
        )

    def _settle(self) -> None:
        """Wait until the page has what it asked for; it goes on asking, so not for ever."""
        with suppress(TimeoutError):
            self.page.wait_for_load_state("networkidle", timeout=5_000)

    # Launching

    def menu_beside(self, button: str) -> Locator:
        """Return the arrow beside a button, which opens its menu."""
        return self.page.get_by_role("button", name=button).locator("xpath=following::button[1]")

    def choose_shard(self, asset: str, shard: int) -> Locator:
        """Click through to the dialog that launches one shard, and return it."""
        dialog = self._launcher(asset)
        dialog.get_by_text("Select a partition or create one").click()
        self.page.get_by_placeholder("Filter partitions").fill(str(shard))
        self.page.get_by_text(str(shard), exact=True).filter(visible=True).last.click()  # the list lies above the page
        self.see("1 partition", within=dialog).click()  # which folds that part away, or its list would cover the others
        return dialog

    def choose_hours(self, asset: str, hours: str, count: int) -> Locator:
        """Click through to the dialog that launches some hours, in the spelling of its field, and return it."""
        dialog = self._launcher(asset)
        field = dialog.get_by_placeholder("No matching partitions")
        field.fill(hours)
        field.press("Enter")
        self.see(f"{count} partition{'' if count == 1 else 's'}", within=dialog)
        return dialog

    def configure(self, dialog: Locator, config: str) -> None:
        """Write a run's configuration into the editor of the dialog."""
        dialog.get_by_text("Config", exact=True).click()
        dialog.get_by_role("button", name="Add config").click()
        editor = self.page.get_by_role("dialog").filter(has_text="Config Editor")
        self.see(re.compile("Configure how steps are executed"), within=editor)
        editor.get_by_role("textbox").last.focus()
        self.page.keyboard.insert_text(config)
        self.see("No errors", within=editor)
        editor.get_by_role("button", name="Save config").click()
        self.see("Config saved", within=dialog)

    def launch(self, dialog: Locator) -> None:
        """Launch the one run of the dialog, follow the notice to its page, and wait until it has succeeded."""
        dialog.get_by_role("button", name="Launch 1 run").click()
        notices = self.page.get_by_role("region", name=re.compile("Notifications"))
        notices.get_by_text("View").first.click(timeout=30_000)
        self.page.wait_for_url(re.compile("/runs/"))

    def see_run_end(self, status: str = "Success") -> None:
        """Wait until the run of the page has ended."""
        self.see(status, patience_s=PATIENCE_S)

    def _launcher(self, asset: str) -> Locator:
        self.open_asset(asset)
        self.page.get_by_role("button", name="Materialize").first.click()
        dialog = self.page.get_by_role("dialog")
        self.see(f"Launch runs to materialize {asset}", within=dialog)
        return dialog

    # Pictures

    def picture(self, name: str) -> None:
        """Keep what is seen now, when nothing moves any more and no notice covers it."""
        self._settle()
        notices = self.page.get_by_role("region", name=re.compile("Notifications")).get_by_role("listitem")
        expect(notices).to_have_count(0, timeout=30_000)
        pictures.save(name, self.page.screenshot(animations="disabled", caret="hide"))
