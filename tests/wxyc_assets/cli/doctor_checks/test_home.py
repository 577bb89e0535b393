"""The check of the state folder."""

import os

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


def test_running_up_is_named(diagnoses_of, tmp_path):
    with one_up.held(tmp_path, print) as ours:
        ours.announce("http://127.0.0.1:3000")
        found = diagnoses_of(check_home, WXYC_HOME=str(tmp_path))["home"]
    assert found.ok
    assert f"process {os.getpid()}, its UI is at http://127.0.0.1:3000" in found.says
