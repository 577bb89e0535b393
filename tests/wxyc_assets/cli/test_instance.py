"""Dagster's folder and instance as the command line prepares them."""

import os
import stat
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from wxyc_assets.cli.instance import COMPUTE_LOGS, OUR_HEADER, STORAGE_VARIABLE, open_instance, prepare_instance

NAMES = ("dagster.yaml", "workspace.yaml")


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path, database):
    """A home of the test's own and a configured storage; what prepare_instance sets is taken back."""
    for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", STORAGE_VARIABLE):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("WXYC_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_DATABASE_URL", database)
    return tmp_path


def ours(name):
    return (files("wxyc_assets.cli") / name).read_text()


def test_instance_is_prepared_in_the_home_and_the_environment(settings, database):
    folder = prepare_instance()
    assert folder == settings / "dagster"
    assert {path.name: path.read_text() for path in folder.iterdir() if path.is_file()} == {
        name: ours(name) for name in NAMES
    }
    assert os.environ["DAGSTER_HOME"] == str(folder)
    assert os.environ["DAGSTER_DISABLE_TELEMETRY"] == "1"
    url = os.environ[STORAGE_VARIABLE]
    assert url.startswith(database.replace("postgresql://", "postgresql+psycopg2://"))
    assert dict(parse_qsl(urlsplit(url).query)).items() >= {"keepalives": "1", "keepalives_idle": "30"}.items()


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
@pytest.mark.parametrize("before", [None, 0o755])
def test_dagsters_folder_and_compute_logs_are_private(settings, umask, before):
    """Whatever the umask is, and although an older release made the folder."""
    if before:
        (settings / "dagster").mkdir()
        (settings / "dagster").chmod(before)
    umask_before = os.umask(umask)
    try:
        folder = prepare_instance()
    finally:
        os.umask(umask_before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / COMPUTE_LOGS)} == {0o700}


def test_configured_folder_stays_open_but_its_logs_are_private(monkeypatch, tmp_path):
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared").chmod(0o755)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "shared"))
    monkeypatch.setenv("WXYC_HOME", str(tmp_path / "home"))
    folder = prepare_instance()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / COMPUTE_LOGS)] == [0o755, 0o700]


def test_compute_logs_are_in_the_private_folder(settings):
    with open_instance() as instance:
        assert isinstance(instance.compute_log_manager, LocalComputeLogManager)
        path = Path(instance.compute_log_manager.get_captured_local_path(["run", "step"], "err"))
    assert path.is_relative_to(settings / "dagster" / COMPUTE_LOGS)


@pytest.mark.parametrize("name", NAMES)
def test_our_old_file_is_replaced_and_a_foreign_one_is_kept(name):
    path = prepare_instance() / name
    path.write_text(f"{OUR_HEADER}, by an older release\n")
    prepare_instance()
    assert path.read_text() == ours(name)
    path.write_text("# changed by hand\n")
    prepare_instance()
    assert path.read_text() == "# changed by hand\n"


def test_dagster_home_may_be_configured(monkeypatch, tmp_path):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "elsewhere"))
    assert prepare_instance() == tmp_path / "elsewhere"


def test_instance_stores_in_the_configured_database(database):
    with open_instance() as instance:
        assert instance.get_runs() == []
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('runs') IS NOT NULL").fetchone() == (True,)
