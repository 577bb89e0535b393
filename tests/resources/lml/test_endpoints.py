"""Base URLs, timeouts and costs."""

import pytest

from resources.lml.endpoints import discogs_calls_used, lookup_cut_off_s, lookup_timeout_s, normalise_base_url


@pytest.mark.parametrize(
    "text",
    [
        "https://lml.example.org",
        "https://lml.example.org/",
        "https://lml.example.org/api/v1",
        "https://lml.example.org/api/v1/",
        "  https://lml.example.org/api/v1\n",
    ],
)
def test_a_base_url_may_end_in_api_v1_and_a_slash(text):
    assert normalise_base_url(text) == "https://lml.example.org"


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("http://127.0.0.1:8000/lml/api/v1/", "http://127.0.0.1:8000/lml"),
        ("http://h/api/v1x", "http://h/api/v1x"),
        ("http://h/api/v1/api/v1", "http://h/api/v1"),  # one, not all
        ("http://h//", "http://h/"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_only_one_suffix_and_one_slash_are_cut(text, base):
    assert normalise_base_url(text) == base


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lml.example.org",
        "ftp://h",
        "http://",
        "http://h:99999",
        "http://h?x=1",
        "http://h#x",
        "http://a b",
        "http://[::1",
    ],
)
def test_an_unusable_url_is_refused(text):
    with pytest.raises(ValueError, match="LIBRARY_METADATA_URL"):
        normalise_base_url(text)


def test_a_url_with_a_password_is_refused_unquoted():
    with pytest.raises(ValueError, match="LML_API_KEY") as caught:
        normalise_base_url("https://user:hunter2@lml.example.org")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("items", "seconds"), [(1, 10), (5, 30), (100, 505)])
def test_a_lookup_has_five_seconds_per_item_and_five_more(items, seconds):
    assert lookup_timeout_s(items, budget_ms=1) == seconds


@pytest.mark.parametrize(("items", "seconds"), [(1, 30), (5, 130), (100, 2505)])
def test_lookup_without_a_budget_has_25_s_an_item(items, seconds):
    assert lookup_timeout_s(items, budget_ms=0) == seconds


@pytest.mark.parametrize(
    ("budget_ms", "seconds"), [(25_000, 4), (4200, 4), (4199, 3.999), (1000, 0.8), (200, 0), (1, 0)]
)
def test_budget_ends_lmls_work_on_an_item_after_4_s_at_most(budget_ms, seconds):
    assert lookup_cut_off_s(budget_ms) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("reserved", "elapsed_s", "api_calls", "used"),
    [
        (100, 0.01, 7, 7),  # LML reports it
        (4, 9.0, 6, 6),  # even if it is more than was reserved
        (100, 0.049, None, 0),  # no call to Discogs fits in there
        (100, 0.26, None, 25),
        (4, 60.0, None, 4),
        (4, 60.0, -3, 4),
        (4, 0.01, 10**9, 0),
    ],
)
def test_a_call_costs_what_lml_reports_or_can_have_made_in_time(reserved, elapsed_s, api_calls, used):
    assert discogs_calls_used(reserved, elapsed_s, api_calls) == used
