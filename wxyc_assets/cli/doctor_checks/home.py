"""Checks the state folder: that it can be written, has free space, is on a local disk; says whether ``wxyc up`` runs on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from resources import home_folder
from wxyc_assets.cli.doctor_checks.diagnosis import Context, Diagnosis
from wxyc_assets.cli.services import one_up
from wxyc_assets.settings import DatabaseSettings


def check_home(context: Context) -> Iterator[Diagnosis]:
    """Check the state folder; creates nothing."""
    settings = context.settings(DatabaseSettings)
    home = settings.home.absolute()
    for_database = settings.database_url is None
    problem = home_folder.find_problem(home, for_database=for_database, creating=False)
    data = (home / "postgres" / "data").resolve()
    if not problem and for_database and data.exists() and not data.is_relative_to(home.resolve()):
        problem = home_folder.storage_problem(data, new=False)  # as root the server's files may be outside home
    if problem:
        yield Diagnosis("home", ok=False, says=problem.says, advice=problem.advice)
        return
    if up := one_up.find(home):
        yield Diagnosis("home", ok=True, says=f"{home}, {_free(home)}; `wxyc up` runs on it: {up}")
    else:
        yield Diagnosis("home", ok=True, says=f"{home}, {_free(home)}")


def _free(home: Path) -> str:
    return f"{shutil.disk_usage(home_folder.existing(home)).free / 1e9:.1f} GB free"
