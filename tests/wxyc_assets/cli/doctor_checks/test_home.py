"""The check of the state folder."""

import os
import shlex
import shutil
import subprocess

import pytest

from resources import home_folder
from wxyc_assets.cli.doctor_checks.home import check_home
from wxyc_assets.cli.services import one_up


def test_home_passes_with_its_free_space_and_is_not_created(diagnoses_of, tmp_path):
    found = diagnoses_of(check_home, WXYC_HOME=str(tmp_path / "home"))["home"]
    assert found.ok
    assert found.says.startswith(f"{tmp_path}/home, ")
    assert found.says.endswith(" GB free")
    assert list(tmp_path.iterdir()) == []


def test_home_that_cannot_be_written_says_what_to_do(diagnoses_of):
    found = diagnoses_of(check_home, WXYC_HOME="/proc/home")["home"]
    assert not found.ok
    assert "/proc/home cannot be written" in found.says
    assert "WXYC_HOME" in found.advice


def test_network_disk_matters_only_to_the_embedded_server(diagnoses_of, tmp_path, monkeypatch):
    monkeypatch.setattr(home_folder, "network_file_system", lambda _folder: "nfs4")
    found = diagnoses_of(check_home, WXYC_HOME=str(tmp_path))["home"]
    assert (found.ok, "network file system (nfs4)" in found.says) == (False, True)
    assert diagnoses_of(check_home, WXYC_HOME=str(tmp_path), DATABASE_URL="postgresql://host/db")["home"].ok


@pytest.mark.parametrize("folder", ["", "dagster", "dagster/storage", "logs"])
def test_folder_that_others_may_list_is_a_problem_with_the_command(diagnoses_of, tmp_path, folder):
    home = tmp_path / "a home"
    (home / "dagster" / "storage").mkdir(parents=True)
    (home / "logs").mkdir()
    for one in (home, *home.rglob("*")):
        one.chmod(0o700)
    assert "privacy" not in diagnoses_of(check_home, WXYC_HOME=str(home))
    (home / folder).chmod(0o755)
    found = diagnoses_of(check_home, WXYC_HOME=str(home))["privacy"]
    assert (found.ok, found.says) == (False, f"other accounts may list {home / folder}")
    subprocess.run(shlex.split(found.advice.removeprefix("run: ")), check=True)
    assert "privacy" not in diagnoses_of(check_home, WXYC_HOME=str(home))


def test_small_shared_memory_matters_only_to_the_embedded_server(diagnoses_of, tmp_path, monkeypatch):
    size = shutil.disk_usage(home_folder.SHARED_MEMORY).total
    monkeypatch.setattr(home_folder, "SHARED_MEMORY_BYTES", size + 1)
    found = diagnoses_of(check_home, WXYC_HOME=str(tmp_path))
    assert (found["home"].ok, found["shared memory"].ok) == (True, False)
    assert "shm_size" in found["shared memory"].advice
    assert list(diagnoses_of(check_home, WXYC_HOME=str(tmp_path), DATABASE_URL="postgresql://host/db")) == ["home"]


def test_running_up_is_named(diagnoses_of, tmp_path):
    with one_up.held(tmp_path, print) as ours:
        ours.announce("http://127.0.0.1:3000")
        found = diagnoses_of(check_home, WXYC_HOME=str(tmp_path))["home"]
    assert found.ok
    assert f"process {os.getpid()}, its UI is at http://127.0.0.1:3000" in found.says
