"""What the doctor says of the tables that usage is rated in."""

import pytest

from wxyc_assets.cli.billing_examination import billing


@pytest.fixture
def look(station):
    """Looks at the station, after a change that is rolled back."""

    def look(change="SELECT"):
        with station.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute(change)
            return {finding.name: finding for finding in billing(connection, "public")}

    return look


def test_a_station_as_the_contract_has_it_is_well(look):
    found = look()
    assert list(found) == ["billing tables"]
    assert found["billing tables"].ok


@pytest.mark.parametrize(
    ("change", "table", "advice"),
    [
        (
            "DROP INDEX billing_event_rating_instant_ix",
            "public.billing_event",
            "ON public.billing_event ((COALESCE(event_ts, created_at)))",
        ),
        ("DROP INDEX rated_usage_window_start_ix", "public.rated_usage", "ON public.rated_usage (window_start)"),
    ],
)
def test_a_missing_index_is_warned_of_with_the_statement_that_mends_it(look, change, table, advice):
    found = look(change)
    assert "WARNING" in found[f"index of {table}"].says
    assert found[f"index of {table}"].advice.endswith(advice)
    assert all(finding.ok for finding in found.values())
    statement = found[f"index of {table}"].advice.partition("run: ")[2].replace("CONCURRENTLY ", "")
    assert list(look(f"{change}; {statement}")) == ["billing tables"]


@pytest.mark.parametrize(
    "other",
    ["(auth_id, window_start)", "USING hash (window_start)", "(window_start) WHERE cost > 0"],
)
def test_an_index_that_does_not_serve_the_range_is_none(look, other):
    assert "index of public.rated_usage" in look(
        f"DROP INDEX rated_usage_window_start_ix; CREATE INDEX ON rated_usage {other}"
    )


def test_an_index_of_another_name_serves_as_well(look):
    assert list(look("ALTER INDEX rated_usage_window_start_ix RENAME TO something")) == ["billing tables"]


def test_missing_tables_are_named(look):
    found = look("DROP TABLE rated_usage")
    assert not found["billing tables"].ok
    assert found["billing tables"].says == "missing in schema public: rated_usage"


def test_missing_privileges_are_named_with_the_grant_that_mends_them(look):
    change = (
        "CREATE ROLE rater_test; GRANT SELECT ON billing_event, rated_usage TO rater_test; SET LOCAL ROLE rater_test"
    )
    found = look(change)
    assert not found["privileges on rated_usage"].ok
    assert "GRANT INSERT, UPDATE, DELETE ON public.rated_usage" in found["privileges on rated_usage"].advice
    assert "privileges on billing_event" not in found
