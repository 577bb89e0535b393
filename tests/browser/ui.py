"""The Dagster UI as a user uses it: clicks and texts, by roles, visible text and addresses."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

from playwright.sync_api import FloatRect, Locator, Page, TimeoutError, expect  # noqa: A004

from tests.browser import pictures

RUN_TIMEOUT_S = 300
"""How long to wait for a run or a tick of the daemon; they share two cores with the browser."""

HEADER_PX = 120
"""The height of the page above the graph."""

MARGIN_PX = 12
"""What a picture of some elements shows around them."""

GROUPS = ("station", "identity", "metadata", "rotation", "billing")


class Ui:
    """One browser tab on a station."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def see(self, text: str | re.Pattern[str], *, within: Locator | None = None, timeout_s: float = 30) -> Locator:
        """Wait until a text is visible, and return its element."""
        matches = (within or self.page.locator("body")).get_by_text(text, exact=isinstance(text, str))
        element = matches.filter(visible=True).first
        expect(element).to_be_visible(timeout=timeout_s * 1000)
        return element

    def reload_until(self, condition: Callable[[], bool], what: str, timeout_s: float = RUN_TIMEOUT_S) -> None:
        """Reload the page until a condition holds, because not every part of the page refreshes itself."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"no {what} at {self.page.url} within {timeout_s} s"
            self.page.wait_for_timeout(500)
            self.page.reload()
            self._settle()

    def shows(self, text: str) -> Callable[[], bool]:
        """Return the condition that a text is visible."""
        return lambda: self.page.get_by_text(text, exact=True).filter(visible=True).count() > 0

    def see_notice(self, text: str) -> None:
        """Wait until the corner of the page shows a notice."""
        self.see(re.compile(text), within=self.page.get_by_role("region", name=re.compile("Notifications")))

    def metadata(self, name: str) -> str:
        """Return the visible value of one metadata entry."""
        row = self.page.get_by_role("row").filter(has=self.page.get_by_text(name, exact=True)).first
        return row.inner_text().split()[-1]

    # Pages

    def open_asset(self, asset: str, view: str = "overview", **query: str) -> None:
        """Open one view of an asset's page."""
        parameters = "".join(f"&{name}={quote(value)}" for name, value in query.items())
        self.page.goto(f"/assets/{asset}?view={view}{parameters}")
        self.see("Overview", within=self.page.get_by_role("tablist"))

    def open_partition(self, asset: str, partition: str) -> None:
        """Open one partition of an asset."""
        self.open_asset(asset, "partitions", partition=partition)
        self.see(partition)

    def choose_range(self, keys: str) -> None:
        """Select a range on the page of partitions."""
        field = self.page.get_by_role("textbox").first
        field.fill(keys)
        field.press("Enter")

    def open_graph(self) -> None:
        """Open the graph with all groups expanded."""
        expanded = quote(",".join(f"global@global:{group}" for group in GROUPS), safe="")
        self.page.goto(f"/asset-groups?expanded={expanded}")
        self.see("Global asset lineage")

    def nodes(self) -> Locator:
        """Return the groups and assets of the graph."""
        return self.page.locator("foreignObject")

    def zoom_out_to_names(self) -> None:
        """Zoom out until the whole graph is visible and its assets show nothing but their names, in large letters."""
        zoom_out = self.page.get_by_role("button").filter(has=self.page.get_by_role("img", name="zoom_out"))
        for _ in range(12):
            if not self.shows("Latest event")() and self._fits(self.nodes()):
                return
            zoom_out.click()
            self._settle()
        raise AssertionError("the graph does not fit on the screen")

    def _fits(self, elements: Locator) -> bool:
        """Whether elements of the graph are inside its part of the page."""
        box, size = self._box(elements), self.page.viewport_size
        assert size
        return box["y"] > HEADER_PX and box["y"] + box["height"] < size["height"]

    def _box(self, elements: Locator) -> dict[str, float]:
        """Return the smallest part of the page that has all these elements."""
        boxes = [box for element in elements.all() if (box := element.bounding_box())]
        left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
        right, bottom = max(box["x"] + box["width"] for box in boxes), max(box["y"] + box["height"] for box in boxes)
        return {"x": left, "y": top, "width": right - left, "height": bottom - top}

    def scroll_to_top(self, element: Locator) -> None:
        """Scroll until an element is near the top."""
        element.evaluate(
            "element => { element.style.scrollMarginTop = '24px'; element.scrollIntoView({block: 'start'}) }"
        )

    def _settle(self) -> None:
        """Wait until the page has no open requests, at most 5 s, because the page polls."""
        with suppress(TimeoutError):
            self.page.wait_for_load_state("networkidle", timeout=5_000)

    # Launching

    def menu_of(self, button: str) -> Locator:
        """Return the arrow next to a button, which opens its menu."""
        return self.page.get_by_role("button", name=button).locator("xpath=following::button[1]")

    def choose_shard(self, asset: str, shard: int | str) -> Locator:
        """Open the dialog that launches one shard, or one day, and return it."""
        dialog = self._launcher(asset)
        dialog.get_by_text("Select a partition or create one").click()
        self.page.get_by_placeholder("Filter partitions").fill(str(shard))
        self.page.get_by_text(str(shard), exact=True).filter(
            visible=True
        ).last.click()  # the list is in front of the page
        self.see(
            "1 partition", within=dialog
        ).click()  # this click closes the list, which would cover the rest of the dialog
        return dialog

    def choose_all_shards(self, asset: str) -> Locator:
        """Open the dialog that launches all shards, and return it."""
        dialog = self._launcher(asset)
        dialog.get_by_text("All", exact=True).click()
        self.see("16 partitions", within=dialog)
        return dialog

    def choose_hours(self, asset: str, hours: str, count: int) -> Locator:
        """Open the dialog that launches ``hours``, in the notation of its field, and return it."""
        dialog = self._launcher(asset)
        field = dialog.get_by_placeholder("No matching partitions")
        field.fill(hours)
        field.press("Enter")
        self.see(f"{count} partition{'' if count == 1 else 's'}", within=dialog)
        return dialog

    def launch(self, dialog: Locator) -> None:
        """Launch the one run of the dialog, and follow the notice to the run's page."""
        dialog.get_by_role("button", name="Launch 1 run").click()
        notices = self.page.get_by_role("region", name=re.compile("Notifications"))
        notices.get_by_text("View").first.click(timeout=30_000)
        self.page.wait_for_url(re.compile("/runs/"))

    def launch_job(self, job: str, config: str) -> None:
        """Launch a job from its launchpad with this configuration, and follow it to the run's page."""
        self.page.goto(f"/locations/__repository__@wxyc_assets/jobs/{job}/playground")
        editor = self.page.locator(".CodeMirror").first
        expect(editor).to_be_visible(timeout=60_000)
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(config)
        button = self.page.get_by_role("button", name="Launch run", exact=False).last
        expect(button).to_be_enabled(timeout=60_000)
        button.click()
        self.page.wait_for_url(re.compile("/runs/"), timeout=60_000)

    def see_run_end(self, status: str = "Success") -> None:
        """Wait until the page of the run shows its end."""
        self.see(status, timeout_s=RUN_TIMEOUT_S)

    def _launcher(self, asset: str) -> Locator:
        self.open_asset(asset)
        self.page.get_by_role("button", name="Materialize").first.click()
        dialog = self.page.get_by_role("dialog")
        self.see(f"Launch runs to materialize {asset}", within=dialog)
        return dialog

    # Pictures

    def picture(self, name: str, of: Locator | None = None) -> None:
        """Save a picture of the page, or of some of its elements, when it has settled and shows no notice."""
        self._settle()
        notices = self.page.get_by_role("region", name=re.compile("Notifications")).get_by_role("listitem")
        expect(notices).to_have_count(0, timeout=30_000)
        clip: FloatRect | None = None
        if of:
            box = self._box(of)
            clip = {"x": box["x"] - MARGIN_PX, "y": box["y"] - MARGIN_PX,
                    "width": box["width"] + 2 * MARGIN_PX, "height": box["height"] + 2 * MARGIN_PX}  # fmt: skip
        pictures.save(name, self.page.screenshot(animations="disabled", caret="hide", clip=clip))
