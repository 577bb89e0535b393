"""What the settings make: the LML client, Sentry, and the sender of alerts."""

import pytest

from resources.lml.errors import LmlUnreachable
from resources.lml.models import LibraryInput
from resources.sentry import SentryConfig, open_sentry
from resources.step_log import step_log
from wxyc_assets.factories import lml_config, open_lml, open_sentry_from, open_sentry_sender
from wxyc_assets.runs.progress import NoProgress
from wxyc_assets.settings import SettingsError

LML = {"LIBRARY_METADATA_URL": "https://lml.example.org/api/v1/", "LML_API_KEY": "hunter2"}


def test_missing_lml_url_names_the_sandbox_command():
    with pytest.raises(SettingsError, match=r"LIBRARY_METADATA_URL: is not set.*wxyc sandbox lml"):
        lml_config({})


@pytest.mark.parametrize(
    "broken",
    [
        LML | {"LML_API_KEY": "hunter2 hunter2"},
        LML | {"LIBRARY_METADATA_URL": "https://hunter2:hunter2@lml.example.org"},
        LML | {"LIBRARY_METADATA_URL": "https://lml.example.org?key=hunter2"},
    ],
)
def test_invalid_lml_settings_are_named_without_secrets(broken):
    with pytest.raises(SettingsError, match=r"LML_API_KEY|LIBRARY_METADATA_URL") as caught:
        lml_config(broken)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("configured", "timeout_s"), [({}, 360), ({"BACKFILL_LML_BATCH_TIMEOUT_MS": "1500"}, 1.5)])
def test_a_refresh_has_the_time_of_its_setting(configured, timeout_s):
    assert lml_config(LML | configured).timeouts_s == {"refresh_for_identities": timeout_s}


def test_lml_is_called_as_configured():
    config = lml_config(LML | {"LML_COST_LOOKUP_ITEM": "2", "LML_COST_REFRESH_ID": "5"})
    assert config.base_url == "https://lml.example.org"
    assert (config.cost_lookup_item, config.cost_refresh_id) == (2, 5)
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize("rate", ["0", "1"])
def test_a_client_of_lml_closes_what_it_opened(station, rate):
    sentry = open_sentry(SentryConfig(dsn=None, environment="test", release=None, traces_sample_rate=0, secrets=()))
    log = step_log(tool="test", run_id="r", secrets=())
    environ = LML | {"LIBRARY_METADATA_URL": "http://127.0.0.1:9", "LML_CAPTURE_SAMPLE_RATE": rate}
    library = LibraryInput(library_id=1, artist_name="a", album_title="b", legacy_release_id=1)
    with open_lml(station, station, sentry, log, NoProgress(), environ) as client, pytest.raises(LmlUnreachable):
        client.bulk_resolve_libraries([library])
    assert "hunter2" not in repr(client)
    with station.connect() as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone() == (0,)


def test_without_a_dsn_sentry_does_nothing():
    sentry = open_sentry_from({})
    with sentry.span("a", op="b"):
        sentry.error(RuntimeError(), step="x")
    sentry.close()


def test_alert_sender_exists_only_with_a_dsn():
    assert open_sentry_sender({}) is None
    sender = open_sentry_sender({"SENTRY_DSN": "http://key@127.0.0.1:9/1"})
    assert sender is not None
    sender.close()
