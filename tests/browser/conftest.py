"""One station and one browser for all stories; a fresh tab, as a newcomer has it, for each."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.pictures import SIZE
from tests.browser.ui import Ui
from tests.browser.up import Station, running_station

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def station() -> Iterator[Station]:
    home = Path(tempfile.mkdtemp(prefix="wxyc-browser-"))
    home.chmod(0o711)  # as root the server runs as another account, which must get in
    try:
        with running_station(home) as station:
            yield station
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, (
        "there is no Chromium: `make test-browser` installs it as root, and says what to install to anyone else"
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
    ui.page.screenshot(path=tmp_path / "last-seen.png")  # of a story that failed
    tab.close()
