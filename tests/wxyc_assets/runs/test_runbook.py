"""The runbook section of a check or an alert."""

import pytest

from wxyc_assets.runs.runbook import alert_section, section


@pytest.mark.parametrize(
    ("name", "anchor"),
    [("unpriced_zero", "unpriced_zero"), ("run", "failed_run"), ("unevaluated", "check_not_evaluated")],
)
def test_a_section_is_the_name_of_the_check_or_that_of_the_kind(name, anchor):
    assert section(name) == f"docs/operations.md#{anchor}"


@pytest.mark.parametrize(
    ("kind", "source", "anchor"),
    [("check", "answers_trusted", "answers_trusted"), ("late", "freshness", "freshness"),
     ("late", "trailing_hours_rated", "trailing_hours_rated"), ("stale", "stale_shards", "stale_shards"),
     ("run", "library_identity", "failed_run"), ("unevaluated", "answers_trusted", "check_not_evaluated")],
)  # fmt: skip
def test_an_alert_has_the_section_of_its_source_or_kind(kind, source, anchor):
    assert alert_section(kind, source) == f"docs/operations.md#{anchor}"
