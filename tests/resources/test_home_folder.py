"""Why a state folder cannot be used."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from resources import home_folder
from resources.home_folder import (
    create,
    find_problem,
    make_private,
    network_file_system,
    open_to_others,
    shared_memory_problem,
    storage_problem,
)

MOUNTS = """\
21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 21 0:35 / /mnt/shared rw,relatime shared:1 - nfs4 nas:/export rw,vers=4.2
41 40 254:1 / /mnt/shared/local rw,relatime - ext4 /dev/vdb rw
42 21 0:36 / /mnt/with\\040space rw,relatime - cifs //nas/share rw
43 21 0:37 / /mnt/twice rw - nfs nas:/a rw
44 21 254:2 / /mnt/twice rw - xfs /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/mnt/shared", "nfs4"),
        ("/mnt/shared/home", "nfs4"),
        ("/mnt/shared/local/home", None),
        ("/mnt/shared2", None),
        ("/mnt/with space/home", "cifs"),
        ("/mnt/twice/home", None),
        ("/home", None),
    ],
)
def test_innermost_last_mount_decides(tmp_path, folder, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert network_file_system(Path(folder), mounts) == kind


def test_file_system_is_unknown_without_a_list_of_mounts(tmp_path):
    assert network_file_system(tmp_path, tmp_path / "none") is None


def test_network_file_system_is_said_with_its_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(home_folder, "network_file_system", lambda _folder: "nfs4")
    problem = find_problem(tmp_path, for_database=True)
    assert "network file system (nfs4)" in str(problem)
    assert "set WXYC_HOME" in str(problem)
    assert find_problem(tmp_path, for_database=False) is None


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte; without the right to mount, the free space of any disk is said to be that."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        with pytest.MonkeyPatch.context() as patch:
            usage = shutil._ntuple_diskusage(1024 * 1024, 0, 1024 * 1024)
            patch.setattr(shutil, "disk_usage", lambda _folder: usage)
            yield folder
        return
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(("new", "needed"), [(True, "250 MB"), (False, "32 MB")])
def test_full_disk_is_said_with_what_is_needed(small_disk, new, needed):
    problem = storage_problem(small_disk, new=new)
    assert f"full (1 MB free, {needed} needed): free some space" in str(problem)


def test_small_shared_memory_says_how_a_container_gets_more(small_disk):
    problem = shared_memory_problem(small_disk)
    assert f"{small_disk} has only 1 MB free" in str(problem)
    assert "--shm-size=256m" in str(problem)
    assert shared_memory_problem(small_disk / "none") is None


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
@pytest.mark.parametrize("before", [None, 0o755, 0o700])
def test_private_folder_is_only_ours_whatever_the_umask(tmp_path, umask, before):
    folder = tmp_path / "private"
    if before:
        folder.mkdir()
        folder.chmod(before)
    umask_before = os.umask(umask)
    try:
        make_private(folder)
    finally:
        os.umask(umask_before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_no_other_account_may_list_a_new_home(tmp_path, umask):
    umask_before = os.umask(umask)
    try:
        create(tmp_path / "a" / "home")
    finally:
        os.umask(umask_before)
    for folder in (tmp_path / "a", tmp_path / "a" / "home"):
        assert stat.S_IMODE(folder.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
        assert not open_to_others(folder)


def test_home_below_a_file_cannot_be_created(tmp_path):
    (tmp_path / "file").touch()
    problem = find_problem(tmp_path / "file" / "home", for_database=False)
    assert "cannot be written (" in str(problem)
    assert "Not a directory" in str(problem)
    assert "\n" not in str(problem)


def test_folder_that_takes_no_file_cannot_be_written():
    assert str(find_problem(Path("/proc"), for_database=False)).startswith("/proc cannot be written (")


def test_look_at_a_missing_home_creates_nothing(tmp_path):
    assert find_problem(tmp_path / "a" / "b", for_database=True, creating=False) is None
    assert list(tmp_path.iterdir()) == []


def test_missing_home_is_created_with_its_parents(tmp_path):
    home = tmp_path / "a" / "b"
    assert find_problem(home, for_database=False) is None
    assert home.is_dir()
    assert create(home) is None
