"""One station and one browser for all stories; each story gets a tab of its own without any history."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.pictures import SIZE
from tests.browser.ui import Ui
from tests.browser.up import Station, running_station
from tests.processes import temporary_home

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each story time for several runs on a busy machine; on an idle one it takes less than a minute."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def station() -> Iterator[Station]:
    with temporary_home("wxyc-browser-") as home, running_station(home) as station:
        yield station


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, (
        "there is no Chromium: `make test-browser` as root installs it; as another user it says what to install"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def ui(station: Station, chromium: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ui]:
    expect.set_options(timeout=30_000)
    tab = chromium.new_context(
        base_url=station.ui,
        viewport={"width": SIZE[0], "height": SIZE[1]},
        timezone_id="UTC",
        locale="en-GB",
        color_scheme="light",
    )
    tab.set_default_timeout(30_000)
    ui = Ui(tab.new_page())
    yield ui
    ui.page.screenshot(path=tmp_path / "last-seen.png")  # the last state of a failed story
    tab.close()
