"""The models and customers of events that are not billed."""

import pytest

from wxyc_assets.monitoring.alerts.rules import Alert
from wxyc_assets.monitoring.alerts.unbilled_usage import with_names

HOUR = "2026-03-04-05:00"


def an_alert(source="unpriced_zero", asset="rated_usage", partitions=(HOUR,)):
    return Alert(asset, "check", source, "error", "3 events have no price", frozenset(partitions))


@pytest.fixture
def connection(station):
    with station.connect() as session:
        yield session


def uses(connection, model, customer, count=1, *, base=None, at="2026-03-04 05:10Z"):
    for _ in range(count):
        connection.execute(
            "INSERT INTO billing_event (request_id, auth_id, resource_id, model, base_model, event_ts) "
            "VALUES (gen_random_uuid()::text, %s, 'r', %s, %s, %s)",
            [customer, model, base, at],
        )


def who(connection, *args, **fields):
    return with_names(connection, an_alert(*args, **fields)).details.get("who")


def test_the_three_with_the_most_events_are_named(connection):
    for number in range(5):
        uses(connection, f"model-{number}", "key-a", number + 1)
    uses(connection, "of-another-hour", "key-a", 9, at="2026-03-04 06:00Z")
    assert who(connection) == (
        "model-4 of key-a (5 events), model-3 of key-a (4 events), model-2 of key-a (3 events) and 2 more"
    )


def test_what_is_billed_is_not_named(connection):
    uses(connection, "m", "key-a")
    connection.execute(
        "INSERT INTO rated_usage (id, auth_id, resource_id, model_id, window_start, window_end, prompt_tokens, cached_tokens, "
        "completion_tokens, billable_prompt_tokens, cost, event_count) "
        "VALUES ('1', 'key-a', 'r', 'm', '2026-03-04 05:00Z', '2026-03-04 06:00Z', 0, 0, 0, 0, 0, 1)"
    )
    assert who(connection) is None


def test_each_check_names_its_own_events(connection):
    uses(connection, None, "key-a")
    uses(connection, "ft:x", "key-b", base="one")
    uses(connection, "ft:x", "key-b", base="two")
    assert who(connection, "unattributable_zero") == "(no model) of key-a (1 events)"
    assert who(connection, "ambiguous_base_zero") == "ft:x of key-b (2 events)"
    assert who(connection) is None


def test_a_station_without_billing_tables_names_none(connection):
    connection.execute("DROP TABLE billing_event CASCADE")
    assert who(connection) is None


@pytest.mark.parametrize("fields", [{"asset": "album_metadata"}, {"source": "accounting_holds"}, {"partitions": ("",)}])
def test_other_alerts_stay_as_they_are(connection, fields):
    alert = an_alert(**fields)
    assert with_names(connection, alert) is alert


def test_events_of_two_organisations_are_named(connection):
    connection.execute("ALTER TABLE billing_event ADD COLUMN org_id varchar(64)")
    uses(connection, "m", "key-a", base="one")
    uses(connection, "m", "key-a", base="two")
    connection.execute("UPDATE billing_event SET org_id = base_model")
    uses(connection, "n", "key-a")
    assert who(connection, "ambiguous_org_zero") == "m of key-a (2 events)"
    assert who(connection) == "n of key-a (1 events)"
    assert who(connection, "ambiguous_base_zero") is None
