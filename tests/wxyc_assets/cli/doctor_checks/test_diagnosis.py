"""The context of the doctor: every group of settings once, and the problems of all of them."""

import pytest

from wxyc_assets.cli.doctor_checks.diagnosis import Context, UnusableSettingsError
from wxyc_assets.settings import ALL_GROUPS, AlbumSettings, DatabaseSettings, LmlSettings


def test_context_has_every_group_and_no_problem_by_default():
    context = Context.load({})
    assert set(context.groups) == set(ALL_GROUPS)
    assert context.problems == []
    assert context.settings(LmlSettings).discogs_budget_per_min == 30


def test_context_collects_the_problems_of_all_groups():
    context = Context.load(
        {"DATABASE_URL": "mysql://x", "BACKFILL_BULK_BATCH_SIZE": "0", "STALE_THRESHOLD_DAYS": "soon"}
    )
    names = [problem.partition(":")[0] for problem in context.problems]
    assert names == ["DATABASE_URL", "STALE_THRESHOLD_DAYS", "BACKFILL_BULK_BATCH_SIZE"]


def test_bad_group_is_unusable_and_the_others_are_not():
    context = Context.load({"DATABASE_URL": "mysql://x"})
    with pytest.raises(UnusableSettingsError, match="DatabaseSettings"):
        context.settings(DatabaseSettings)
    assert context.settings(AlbumSettings).batch_size == 5


def test_context_has_the_secrets_also_of_bad_settings():
    context = Context.load({"DATABASE_URL": "mysql://x:secretpw@h/d", "LML_API_KEY": "a key"})
    assert {"secretpw", "a key"} <= set(context.secrets.texts)
