"""The station's own tables, as Dagster observes them: how many rows, and when to believe that they changed."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from tests.libraries import add_library
from tests.wxyc_assets.assets.rotation_identity.harness import RotationIdentityRuns, in_days, today
from wxyc_assets.assets.sources import billing_event, flowsheet, library, rotation


@pytest.fixture
def runs(station):
    return RotationIdentityRuns(station)


@pytest.fixture
def observe(runs):
    def observe(source):
        """The data version and the metadata of an observation."""
        defs = dg.Definitions(
            assets=[source],
            resources={"postgres": runs.postgres, "billing_postgres": runs.postgres},
            executor=dg.in_process_executor,
        )
        job = defs.resolve_implicit_global_asset_job_def()
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        with dg.DagsterInstance.ephemeral() as instance:
            assert job.execute_in_process(instance=instance, run_config=quiet).success
            (record,) = instance.fetch_observations(source.key, limit=2).records
        seen: Any = record.asset_observation
        return seen.data_version, {name: one.value for name, one in seen.metadata.items()}

    return observe


@pytest.mark.parametrize("source", [library, flowsheet, rotation])
def test_a_source_says_whose_table_it_is_and_is_none_of_ours(source):
    (spec,) = dg.Definitions(assets=[source], resources={"postgres": None}).resolve_all_asset_specs()
    assert spec.group_name == "station"
    assert "The station's backend owns it" in (spec.description or "")
    assert spec.owners == ["team:station-backend"]
    assert spec.metadata["dagster/table_name"] == f"wxyc_schema.{spec.key.to_user_string()}"
    assert "dagster/kind/postgres" in spec.tags


def test_the_library_is_counted_and_versioned_by_its_watermark(runs, observe):
    with runs.postgres.connect() as connection:
        add_library(connection, 1, verified=timedelta(days=1))
    version, metadata = observe(library)
    ((watermark,),) = runs.rows("SELECT last_modified_at FROM library_watermark")
    assert (version, metadata["dagster/row_count"]) == (watermark.isoformat(), 1)


def test_the_flowsheet_is_counted_with_what_waits(runs, observe):
    runs.execute(
        "INSERT INTO flowsheet (play_order, artist_name, entry_type) VALUES (1, 'Jessica Pratt', 'track'), (2, NULL, 'talkset')"
    )
    version, metadata = observe(flowsheet)
    ((watermark,),) = runs.rows("SELECT last_modified_at FROM flowsheet_watermark")
    assert (version, metadata["dagster/row_count"], metadata["pending_tracks"]) == (watermark.isoformat(), 2, 1)


def test_the_rotation_is_counted_with_what_is_active(runs, observe):
    assert observe(rotation)[1] == {"dagster/row_count": 0, "active_rows": 0}
    runs.add(1, 11)
    runs.add(2, None, kill=in_days(1))
    runs.add(3, 13, kill=today())
    assert observe(rotation)[1] == {"dagster/row_count": 3, "active_rows": 2}


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        ("INSERT INTO rotation (id, rotation_bin) VALUES (2, 'S')", True),
        ("DELETE FROM rotation", True),
        ("UPDATE rotation SET discogs_release_id = 12", True),
        ("UPDATE rotation SET kill_date = CURRENT_DATE", True),
        ("UPDATE rotation SET lml_identity_id = 12", False),  # what rotation_identity itself writes
        ("UPDATE rotation SET record_label = 'Sonamos'", False),
    ],
)
def test_rotation_has_a_new_version_when_the_columns_read_change(runs, observe, change, changes):
    runs.add(1, 11)
    before, _ = observe(rotation)
    assert observe(rotation)[0] == before
    runs.execute(change)
    assert (observe(rotation)[0] != before) is changes


def test_billing_events_have_a_new_version_with_each_new_event(runs, observe):
    (spec,) = dg.Definitions(assets=[billing_event], resources={"billing_postgres": None}).resolve_all_asset_specs()
    assert (spec.group_name, spec.metadata["dagster/table_name"]) == ("billing", "public.billing_event")
    assert spec.owners == ["team:gateway"]
    assert observe(billing_event) == ("0 none", {"dagster/row_count": 0})
    runs.execute("INSERT INTO billing_event (request_id, created_at) VALUES ('one', '2026-06-08T10:00:00Z')")
    version, metadata = observe(billing_event)
    assert (version, metadata["dagster/row_count"]) == ("1 2026-06-08T10:00:00+00:00", 1)
    runs.execute("INSERT INTO billing_event (request_id, created_at) VALUES ('late', '2026-06-08T09:00:00Z')")
    assert observe(billing_event)[0] != version


def test_a_station_without_billing_is_observed_as_such(runs, observe):
    runs.execute("DROP TABLE rated_usage, billing_event")
    _, metadata = observe(billing_event)
    assert metadata["billing"] == "this station has no billing tables"
