from pathlib import Path

import pytest
from pydantic import ValidationError

from resources import secrets
from wxyc_assets.runs.partitions import FIRST_HOUR, hour_start
from wxyc_assets.settings import (
    ALL_GROUPS,
    DatabaseSettings,
    HomeSettings,
    IdentitySettings,
    LmlSettings,
    RatingSettings,
    SentrySettings,
    SettingsError,
    UiSettings,
    load,
    load_all,
)
from wxyc_assets.settings.groups import default_home

SECRET = "hunter2-hunter2"
SECRETS = {
    "DATABASE_URL": f"postgresql://u:{SECRET}@h/db",
    "DAGSTER_DATABASE_URL": f"postgresql://u:{SECRET}@h/dagster",
    "LML_API_KEY": SECRET,
    "SENTRY_DSN": f"https://{SECRET}@sentry.example.org/1",
}
DEFAULTS = {
    "WXYC_HOME": default_home(),
    "DATABASE_URL": None,
    "DAGSTER_DATABASE_URL": None,
    "DAGSTER_HOME": None,
    "WXYC_SCHEMA_NAME": "wxyc_schema",
    "BILLING_SCHEMA_NAME": "public",
    "LIBRARY_METADATA_URL": None,
    "LML_API_KEY": None,
    "LOCAL_DEV": False,
    "LML_DISCOGS_BUDGET_PER_MIN": 30,
    "LML_COST_LOOKUP_ITEM": 2.5,
    "LML_COST_REFRESH_ID": 4,
    "LML_CAPTURE_SAMPLE_RATE": 0,
    "STALE_THRESHOLD_DAYS": 7,
    "UNRESOLVED_RETRY_DAYS": 30,
    "INCLUDE_NULL_CANONICAL": False,
    "BILLING_START": None,
    "SENTRY_DSN": None,
    "SENTRY_ENVIRONMENT": "local",
    "SENTRY_RELEASE": None,
    "SENTRY_TRACES_SAMPLE_RATE": 1.0,
}
UNUSABLE = {
    "DATABASE_URL": "mysql://h/db",
    "WXYC_SCHEMA_NAME": "no; such",
    "LIBRARY_METADATA_URL": "lml.example.org",
    "LML_DISCOGS_BUDGET_PER_MIN": "0",
    "LML_COST_REFRESH_ID": "-1",
    "LML_COST_LOOKUP_ITEM": "nan",
    "LML_CAPTURE_SAMPLE_RATE": "1.5",
    "LOCAL_DEV": "maybe",
    "BILLING_START": "2026-06-08T10:30:00Z",
    "STALE_THRESHOLD_DAYS": "0",
    "UNRESOLVED_RETRY_DAYS": "a month",
    "INCLUDE_NULL_CANONICAL": "perhaps",
    "SENTRY_DSN": "https://sentry.example.org/1",
    "SENTRY_TRACES_SAMPLE_RATE": "-0.1",
}


def test_empty_environment_gives_every_default():
    found = {
        field.alias: getattr(group, name)
        for group in load_all(ALL_GROUPS, {})
        for name, field in type(group).model_fields.items()
    }
    assert found | DEFAULTS == found


def test_every_setting_is_described():
    assert all(field.description for group in ALL_GROUPS for field in group.model_fields.values())


def test_an_empty_variable_is_unset():
    blank = dict.fromkeys(DEFAULTS, "") | {"STALE_THRESHOLD_DAYS": "  ", "LML_API_KEY": "\n"}
    assert load_all(ALL_GROUPS, blank) == load_all(ALL_GROUPS, {})


def test_all_problems_of_all_groups_are_reported_at_once():
    with pytest.raises(SettingsError) as caught:
        load_all(ALL_GROUPS, UNUSABLE)
    assert {problem.split(":")[0] for problem in caught.value.problems} == set(UNUSABLE)
    assert all(f"  - {problem}" in str(caught.value) for problem in caught.value.problems)


def test_missing_key_is_reported_beside_other_problems():
    with pytest.raises(SettingsError) as caught:
        load(LmlSettings, {"LIBRARY_METADATA_URL": "https://lml.example.org", "LML_CAPTURE_SAMPLE_RATE": "2"})
    assert {problem.split(":")[0] for problem in caught.value.problems} == {"LML_API_KEY", "LML_CAPTURE_SAMPLE_RATE"}


def test_problem_that_two_groups_share_is_reported_once():
    with pytest.raises(SettingsError) as caught:
        load_all((HomeSettings, DatabaseSettings), {"DAGSTER_DATABASE_URL": "nonsense"})
    assert len(caught.value.problems) == 1


def test_lml_needs_a_key_except_in_local_development():
    url = {"LIBRARY_METADATA_URL": "http://127.0.0.1:8000"}
    with pytest.raises(SettingsError, match="LML_API_KEY: is needed"):
        load(LmlSettings, url)
    with pytest.raises(SettingsError, match="LML_API_KEY: is needed"):
        load(LmlSettings, url | {"LOCAL_DEV": "0"})
    assert load(LmlSettings, url | {"LOCAL_DEV": "1"}).api_key is None
    assert load(LmlSettings, url | {"LML_API_KEY": "k"}).base_url == url["LIBRARY_METADATA_URL"]


@pytest.mark.parametrize("group", [*ALL_GROUPS, HomeSettings])
def test_secrets_are_in_no_text_of_the_settings(group):
    loaded = load(group, SECRETS)
    assert SECRET not in f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()}"


@pytest.mark.parametrize(
    "broken",
    [
        {"DATABASE_URL": f"{SECRET}"},
        {"DATABASE_URL": f"postgresql://u:{SECRET}@h:port/db%zz"},
        {"DAGSTER_DATABASE_URL": f"mysql://u:{SECRET}@h/db"},
        {"SENTRY_DSN": f"ftp://{SECRET}@h/1"},
        {"LML_API_KEY": SECRET, "LML_CAPTURE_SAMPLE_RATE": "2"},
    ],
)
def test_secrets_are_in_no_text_of_an_error(broken):
    with pytest.raises(SettingsError) as caught:
        load_all(ALL_GROUPS, broken)
    assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


def test_secrets_are_in_no_error_of_the_models_themselves():
    with pytest.raises(ValidationError) as caught:
        DatabaseSettings.model_validate({"DATABASE_URL": SECRET})
    assert SECRET not in str(caught.value)


def test_every_secret_setting_is_known_to_the_redaction():
    """As is the password that libpq reads by itself."""
    fields = [field for group in ALL_GROUPS for field in group.model_fields.values()]
    secret = {str(field.alias) for field in fields if "SecretStr" in str(field.annotation)}
    assert secret >= set(SECRETS)
    assert set(secrets.VARIABLES) == secret | {"PGPASSWORD"}


@pytest.mark.parametrize("name", ["WXYC_HOME", "DATABASE_URL", "RATE_TRAILING_HOURS"])
def test_a_value_that_is_not_utf_8_is_refused_by_name(name):
    with pytest.raises(SettingsError, match=f"{name}: holds bytes that are not UTF-8; write it anew") as refused:
        load_all(ALL_GROUPS, {name: "/\udcff", "OTHER": "\udcff"})
    assert len(refused.value.problems) == 1


def test_a_line_end_behind_a_value_is_no_part_of_it():
    loaded = load(LmlSettings, {"LIBRARY_METADATA_URL": "https://lml.example.org\n", "LML_API_KEY": "key\n"})
    assert loaded.base_url == "https://lml.example.org"
    assert loaded.api_key is not None
    assert loaded.api_key.get_secret_value() == "key"


def test_settings_come_from_the_process_environment_by_default(monkeypatch):
    monkeypatch.setenv("STALE_THRESHOLD_DAYS", "3")
    assert load(IdentitySettings).stale_after.days == 3


def test_dagsters_folder_is_below_home_unless_it_is_set():
    assert load(HomeSettings, {"WXYC_HOME": "/srv/w"}).dagster_folder == Path("/srv/w/dagster")
    assert load(HomeSettings, {"WXYC_HOME": "/srv/w", "DAGSTER_HOME": "/srv/d"}).dagster_folder == Path("/srv/d")


@pytest.mark.parametrize(("uid", "home"), [(0, "/var/lib/wxyc-assets"), (1000, "/home/dj/.local/state/wxyc-assets")])
def test_state_is_kept_where_this_user_may_write(monkeypatch, uid, home):
    monkeypatch.setattr("os.geteuid", lambda: uid)
    monkeypatch.setenv("HOME", "/home/dj")
    assert load(HomeSettings, {}).home == Path(home)


def test_a_settings_value_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load(SentrySettings, {}).environment = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    "start",
    ["2026-06-08T10:30:00Z", "2026-06-08T10:00:00", "2025-12-31T23:00:00Z", "June", "2026-06-08T10:00:00+05:45"],
)
def test_billing_starts_on_a_utc_hour_from_2026_on(start):
    with pytest.raises(SettingsError, match="BILLING_START"):
        load(RatingSettings, {"BILLING_START": start})
    assert load(RatingSettings, {"BILLING_START": "2026-06-08T12:00:00+02:00"}).first_hour == hour_start(
        "2026-06-08-10:00"
    )
    assert load(RatingSettings, {}).first_hour == FIRST_HOUR


@pytest.mark.parametrize(
    ("environ", "environment"),
    [
        ({}, "local"),
        ({"NODE_ENV": "production"}, "production"),
        ({"NODE_ENV": "production", "SENTRY_ENVIRONMENT": "staging"}, "staging"),
        ({"NODE_ENV": "production", "SENTRY_ENVIRONMENT": ""}, "production"),
    ],
)
def test_sentrys_environment_is_that_of_the_jobs_unless_set(environ, environment):
    assert load(SentrySettings, environ).environment == environment


@pytest.mark.parametrize(
    ("environ", "hosts", "origins"),
    [
        ({}, set(), set()),
        ({"WXYC_UI_URL": "https://UI.example/"}, {"ui.example"}, {"https://ui.example"}),
        ({"WXYC_UI_URL": "https://ui.example:443"}, {"ui.example"}, {"https://ui.example"}),
        ({"WXYC_UI_URL": "http://ui.example:8080/x"}, {"ui.example:8080"}, {"http://ui.example:8080"}),
        ({"WXYC_UI_URL": "http://[::1]:80"}, {"[::1]"}, {"http://[::1]"}),
        (
            {"WXYC_UI_HOSTS": "View.example, [::1]:3001,"},
            {"view.example", "[::1]:3001"},
            {"http://view.example", "https://view.example", "http://[::1]:3001", "https://[::1]:3001"},
        ),
    ],
)
def test_the_ui_is_reached_under_these_hosts_and_origins(environ, hosts, origins):
    settings = load(UiSettings, environ)
    assert (settings.hosts, settings.origins) == (hosts, origins)


@pytest.mark.parametrize("value", ["https://view.example", "*", "a b", "view.example/x", "view.example:x"])
def test_a_host_is_no_url_and_no_pattern(value):
    with pytest.raises(SettingsError, match="WXYC_UI_HOSTS: must be host names"):
        load(UiSettings, {"WXYC_UI_HOSTS": value})
