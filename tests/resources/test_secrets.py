"""What is secret in an environment, and what is not."""

import pytest

from resources.secrets import Secrets


def test_a_url_is_secret_in_its_passwords_as_written_and_as_sent():
    found = Secrets.of({"DATABASE_URL": "postgresql://u:p%40ss@h/db?sslpassword=q%26q", "SENTRY_DSN": "https://k@h/1"})
    assert {"p%40ss", "p@ss", "q&q", "q%26q"} <= set(found.texts)
    assert not {"u", "h", "db", "k"} & set(found.texts)


def test_keys_in_invalid_settings_are_secret():
    environ = {
        "LML_API_KEY": "hunter2",
        "LML_DISCOGS_BUDGET_PER_MIN": "many",
        "DATABASE_URL": "postgresql://u:pw@h:nowhere/db",
    }
    assert set(Secrets.of(environ).texts) >= {"hunter2", "pw"}


def test_nothing_is_secret_in_an_empty_environment():
    assert Secrets.of({}).texts == ()


def test_text_that_is_no_url_is_secret_as_a_whole():
    assert Secrets.of({"DATABASE_URL": "hunter2"}).texts == ("hunter2",)


@pytest.mark.parametrize(
    "password", ["hunter2", "hun/ter2", "hun?ter2#", "hun@ter2", "hun[ter2", "hun:ter2", "hun%2Fter2"]
)
@pytest.mark.parametrize("url", ["postgresql://u:{}@h/db", "postgresql://u:{}@h:nowhere/db", "postgresql://u:{}@[h/db"])
def test_a_password_is_secret_even_where_its_url_is_none(url, password):
    """Signs that should have been percent-encoded end the host early for a reader of URLs."""
    texts = Secrets.of({"DATABASE_URL": url.format(password)}).texts
    assert password in texts
    assert not {"u", "h", "db", url.format(password)} & set(texts)


def test_a_broken_url_without_a_password_is_secret_as_a_whole():
    assert Secrets.of({"DATABASE_URL": "postgresql://hunter2@[h/db"}).texts == ("postgresql://hunter2@[h/db",)


def test_the_password_that_libpq_reads_is_secret():
    assert Secrets.of({"PGPASSWORD": "hunter2"}).texts == ("hunter2",)


def test_secrets_have_no_repr_and_a_redactor():
    secrets = Secrets.of({"LML_API_KEY": "hunter2"})
    assert "hunter2" not in repr(secrets)
    assert secrets.redactor().text("the key hunter%32") == "the key [redacted]"
