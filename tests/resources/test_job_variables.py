"""A variable of the cron jobs that decided what a job does is refused by name; one of its speed is only named."""

import pytest

from resources.job_variables import IGNORED, REFUSED, ignored, refused
from tests.documents import code as codes
from tests.documents import environment
from wxyc_assets.settings import ALL_GROUPS, LmlSettings, SettingsError, ignored_variables, load, load_all


def names(problems):
    return [problem.partition(":")[0] for problem in problems]


@pytest.mark.parametrize("name", REFUSED)
def test_each_variable_that_decides_what_is_done_is_refused(name):
    value = "true" if name in {"DRY_RUN", "RECHECK"} else "3"
    (problem,) = refused({name: value})
    assert problem.startswith(f"{name}: is a variable of the cron jobs")
    assert value not in problem.partition("instead")[0] or "DB_" not in name  # a password is in no message


@pytest.mark.parametrize(
    "harmless",
    [
        {"DRY_RUN": "false", "RECHECK": "0", "PARTITION_INDEX": "0", "PARTITION_COUNT": "1"},
        {"DB_HOST": "db", "DB_PASSWORD": "p", "DATABASE_URL": "postgresql://u:p@db/station"},
        {"DRY_RUN": " ", "DB_HOST": ""},
    ],
)
def test_value_that_changes_nothing_is_accepted(harmless):
    load_all(ALL_GROUPS, harmless)


def test_every_group_refuses_them_beside_its_own_problems():
    environ = {"DRY_RUN": "TRUE\n", "DB_HOST": "db", "DB_PASSWORD": "hunter2", "LML_COST_REFRESH_ID": "-1"}
    with pytest.raises(SettingsError) as caught:
        load(LmlSettings, environ)
    assert names(caught.value.problems) == ["DRY_RUN", "DB_HOST", "DB_PASSWORD", "LML_COST_REFRESH_ID"]
    assert "hunter2" not in str(caught.value)


def test_variables_of_speed_are_named_with_what_replaces_them():
    found = ignored_variables({"THROTTLE_MS": "50", "BATCH_SIZE": "100", "VA_BATCH_SIZE": "", "PATH": "/bin"})
    assert found == ["THROTTLE_MS (LML_DISCOGS_BUDGET_PER_MIN replaces it)", "BATCH_SIZE"]
    assert ignored({}) == []


def test_every_variable_of_the_migration_page_is_known():
    listed = {name: now for cell, _, now in environment() for name in codes(cell)}
    gone = {name for name, now in listed.items() if not now.startswith("stays")}
    assert gone == set(REFUSED) | set(IGNORED)
