"""What commands start if it is not configured: database, station, LML, prices."""

import os
from datetime import UTC, datetime

import httpx
import pytest

from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import one_up
from wxyc_assets.cli.station import (
    billed_since,
    configured_ui_url,
    create_station,
    ensure_billing_start,
    ensure_database,
    ensure_lml,
    ensure_prices,
    ensure_ui_url,
    prepare_station,
    require_own_lml,
    stored_counts,
)
from wxyc_assets.sandbox.generator import generate_billing_events
from wxyc_assets.sandbox.sample import SAMPLE_PRICES
from wxyc_assets.settings import RatingSettings, load

SETTINGS = ("DATABASE_URL", "DAGSTER_DATABASE_URL", "LIBRARY_METADATA_URL", "LML_API_KEY", "PRICE_FILE")


@pytest.fixture(autouse=True)
def _unset(monkeypatch, tmp_path):
    """No setting but a home of the test's own."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WXYC_HOME", str(tmp_path))


@pytest.fixture
def configured(station, monkeypatch):
    """A configured station."""
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    return station


@pytest.fixture
def real_station(configured):
    """A station that ``create`` did not make: its mark is a comment."""
    with configured.connect() as connection:
        connection.execute("COMMENT ON TABLE library IS NULL")
    return configured


def test_configured_databases_start_no_embedded_server(configured, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGSTER_DATABASE_URL", configured.dsn)
    with ensure_database():
        assert list(tmp_path.iterdir()) == []


def test_configured_station_is_migrated_and_gets_no_sample(database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    create_station(sample=False)
    assert prepare_station() is None
    report = prepare_station(demo=True)
    assert report is not None
    assert (report.created, report.sample_loaded) == (False, True)


def test_demo_makes_the_sample_in_a_configured_database(database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    report = prepare_station(demo=True)
    assert report is not None
    assert (report.created, report.sample_loaded, report.rows["library"] > 300) == (True, True, True)


@pytest.fixture
def at_lml(monkeypatch):
    """Configures an LML at this address."""

    def configure(url):
        monkeypatch.setenv("LIBRARY_METADATA_URL", url)
        monkeypatch.setenv("LML_API_KEY", "key")

    return configure


@pytest.mark.usefixtures("real_station")
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://lml.example.org"])
def test_real_station_uses_the_configured_lml(at_lml, url):
    at_lml(url)
    require_own_lml(url)
    with ensure_lml() as lml:
        assert (lml, os.environ["LIBRARY_METADATA_URL"]) == (None, url)


@pytest.mark.usefixtures("configured")
def test_configured_sandbox_uses_an_lml_on_this_machine(at_lml):
    at_lml("http://127.0.0.1:9")
    require_own_lml("http://127.0.0.1:9")
    with ensure_lml() as lml:
        assert (lml, os.environ["LIBRARY_METADATA_URL"]) == (None, "http://127.0.0.1:9")


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(("url", "demo"), [("http://127.0.0.1:9", True), ("https://lml.example.org", False)])
def test_sandbox_never_uses_the_lml_of_the_station(at_lml, capfd, url, demo):
    """The settings are back after the block: a later command of this process must find them."""
    at_lml(url)
    with ensure_lml(demo=demo) as lml:
        assert lml is not None
        assert (os.environ["LIBRARY_METADATA_URL"], os.environ["LML_API_KEY"]) == (lml.url, "sandbox-key")
    assert (os.environ["LIBRARY_METADATA_URL"], os.environ["LML_API_KEY"]) == (url, "key")
    assert "LIBRARY_METADATA_URL is not used" in capfd.readouterr().err


@pytest.mark.usefixtures("configured")
def test_sandbox_run_refuses_an_lml_elsewhere():
    with pytest.raises(CannotError, match="never asked about sample albums"):
        require_own_lml("https://lml.example.org")


def test_embedded_station_refuses_an_lml_elsewhere_unstarted(tmp_path):
    with pytest.raises(CannotError, match="never asked about sample albums"):
        require_own_lml("https://lml.example.org")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("configured")
def test_sandbox_lml_is_in_the_environment_for_the_block_only():
    with ensure_lml() as lml:
        assert lml is not None
        assert (os.environ["LIBRARY_METADATA_URL"], os.environ["LML_API_KEY"]) == (lml.url, "sandbox-key")
        assert httpx.get(f"{lml.url}/health", trust_env=False).status_code == 200
    assert "LIBRARY_METADATA_URL" not in os.environ
    assert "LML_API_KEY" not in os.environ


@pytest.mark.usefixtures("configured")
def test_taken_port_of_the_lml_names_its_option(free_port):
    port = free_port(keep=True)
    with pytest.raises(CannotError, match=f"^port {port} cannot be used .*--lml-port"), ensure_lml(port):
        pass


@pytest.mark.usefixtures("real_station")
def test_real_station_never_gets_the_sandbox_lml():
    with pytest.raises(CannotError, match="invent identities for real albums"), ensure_lml():
        pass


@pytest.mark.usefixtures("configured")
def test_sandbox_station_gets_the_sample_prices_for_the_block():
    with ensure_prices() as variables:
        assert variables == {"PRICE_FILE": str(SAMPLE_PRICES)}
        assert os.environ["PRICE_FILE"] == str(SAMPLE_PRICES)
    assert "PRICE_FILE" not in os.environ


@pytest.mark.usefixtures("real_station")
def test_real_station_never_gets_the_sample_prices():
    with ensure_prices() as variables:
        assert (variables, "PRICE_FILE" in os.environ) == ({}, False)


@pytest.mark.usefixtures("configured")
def test_configured_price_file_is_used_as_it_is(monkeypatch):
    monkeypatch.setenv("PRICE_FILE", "/somewhere/prices.yaml")
    with ensure_prices() as variables:
        assert (variables, os.environ["PRICE_FILE"]) == ({}, "/somewhere/prices.yaml")
    assert os.environ["PRICE_FILE"] == "/somewhere/prices.yaml"


def test_counts_and_first_billed_hour_of_an_empty_station(station):
    with station.connect() as connection:
        assert stored_counts(connection) == {"identities": 0, "sources": 0, "albums": 0}
        assert billed_since(connection) == {}


def test_first_billed_hour_is_a_whole_utc_hour(station):
    with station.connect() as connection:
        connection.execute("SET timezone TO 'Asia/Kolkata'")  # half an hour beside the UTC hours
        first_instant = datetime(2026, 6, 8, 10, 47, 11, tzinfo=UTC)
        generate_billing_events(connection, 2, first_instant=first_instant, hours=4, accounts=1, models={"m": None})
        assert billed_since(connection) == {"since": "2026-06-08T10:00:00+00:00"}


@pytest.mark.usefixtures("configured")
def test_billing_starts_with_the_first_event_unless_configured(station, monkeypatch):
    monkeypatch.delenv("BILLING_START", raising=False)
    with ensure_billing_start():
        assert "BILLING_START" not in os.environ, "there is no event"
    with station.connect() as connection:
        first_instant = datetime(2026, 6, 8, 10, 47, 11, tzinfo=UTC)
        generate_billing_events(connection, 2, first_instant=first_instant, hours=4, accounts=1, models={"m": None})
    with ensure_billing_start():
        assert load(RatingSettings).billing_start == datetime(2026, 6, 8, 10, tzinfo=UTC)
    monkeypatch.setenv("BILLING_START", "2026-07-01T00:00:00Z")
    with ensure_billing_start():
        assert os.environ["BILLING_START"] == "2026-07-01T00:00:00Z"


def test_alerts_link_to_the_configured_ui_or_that_of_up(monkeypatch, tmp_path):
    monkeypatch.setenv("WXYC_HOME", str(tmp_path))
    monkeypatch.delenv("WXYC_UI_URL", raising=False)
    assert configured_ui_url() is None
    with one_up.held(tmp_path, print) as ours:
        ours.announce("http://127.0.0.1:3000")
        assert configured_ui_url() == "http://127.0.0.1:3000"
        with ensure_ui_url("http://127.0.0.1:3000"):
            assert configured_ui_url() == "http://127.0.0.1:3000"
        monkeypatch.setenv("WXYC_UI_URL", "https://dagster.example/")
        with ensure_ui_url("http://127.0.0.1:3000"):
            assert configured_ui_url() == "https://dagster.example/"
