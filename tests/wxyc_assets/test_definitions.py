import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from wxyc_assets.definitions import build_defs, defs

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "DATABASE_URL": "postgresql://u:hunter2-database@db.example.org/station",
    "DAGSTER_DATABASE_URL": "postgresql://u:hunter2-dagster@db.example.org/dagster",
    "LIBRARY_METADATA_URL": "https://lml.example.org",
    "LML_API_KEY": "hunter2-lml",
    "SENTRY_DSN": "https://hunter2-sentry@sentry.example.org/1",
}
LOAD = "from wxyc_assets.definitions import defs; import dagster as dg; dg.Definitions.validate_loadable(defs)"
PRINT_SNAPSHOT = """
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value
from wxyc_assets.definitions import defs
print(serialize_value(RepositorySnap.from_def(defs.get_repository_def())))
"""


def _python(code, tmp_path, **environ):
    """Run code in a child process whose environment is what is given."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environ}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_definitions_load_in_an_empty_environment(tmp_path):
    """Loading starts no server and writes no state: its home is a file, so either would fail."""
    (tmp_path / "home").write_text("")
    loaded = _python(LOAD, tmp_path, WXYC_HOME=str(tmp_path / "home"), HOME=str(tmp_path / "home"))
    assert (loaded.returncode, loaded.stdout) == (0, ""), loaded.stderr


def test_definitions_load_with_invalid_settings(tmp_path):
    loaded = _python(LOAD, tmp_path, STALE_THRESHOLD_DAYS="a week", DATABASE_URL="mysql://", LML_API_KEY="a\tb")
    assert loaded.returncode == 0, loaded.stderr


def test_dagsters_snapshot_of_the_code_has_no_secret(tmp_path):
    printed = _python(PRINT_SNAPSHOT, tmp_path, **SECRETS)
    assert printed.returncode == 0, printed.stderr
    assert "stale_identities" in printed.stdout
    assert "hunter2" not in printed.stdout
    assert "example.org" not in printed.stdout


def test_imports_keep_to_the_layout():
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout
    assert " 0 broken" in linted.stdout


@pytest.fixture
def graph():
    return defs.resolve_asset_graph()


def test_the_graph_is_what_the_design_draws(graph):
    assert {dg.AssetKey("library"), dg.AssetKey("library_identity")} <= graph.get_all_asset_keys()
    node = graph.get(dg.AssetKey("library_identity"))
    assert node.parent_keys == {dg.AssetKey("library")}
    assert node.partitions_def.get_partition_keys() == [str(shard) for shard in range(16)]
    assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert "stale_identities" in {sensor.name for sensor in defs.sensors or ()}


def test_every_asset_has_owner_group_kind_and_description(graph):
    """An asset's page is enough to understand it."""
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.owners, key
        assert node.group_name not in {None, "default"}
        assert node.kinds
        assert len(node.description or "") > 100
        assert node.metadata["dagster/table_name"]
        assert node.check_keys


def test_only_untrusted_answers_block(graph):
    node = graph.get(dg.AssetKey("library_identity"))
    checks = {key.name: graph.get(key).blocking for key in node.check_keys}
    assert {name for name, blocking in checks.items() if blocking} == {"answers_trusted"}
    assert len(checks) >= 5


def test_a_resource_can_be_replaced_by_a_plain_object():
    replaced = build_defs(postgres="a plain object")
    resources, own = dict(replaced.resources or {}), dict(defs.resources or {})
    assert resources["postgres"] == "a plain object"
    assert resources["lml"] is own["lml"]
