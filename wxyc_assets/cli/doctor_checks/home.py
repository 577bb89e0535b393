"""Checks the state folder: that it can be written, has free space, is on a local disk; says whether ``wxyc up`` runs on it."""

import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from resources import home_folder
from wxyc_assets.cli.doctor_checks.diagnosis import Context, Diagnosis
from wxyc_assets.cli.instance import COMPUTE_LOGS
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
    yield from _privacy([home, settings.dagster_folder, settings.dagster_folder / COMPUTE_LOGS, home / "logs"])
    if for_database and (small := home_folder.shared_memory_problem()):
        yield Diagnosis("shared memory", ok=False, says=small.says, advice=small.advice)
    if up := one_up.find(home):
        yield Diagnosis("home", ok=True, says=f"{home}, {_free(home)}; `wxyc up` runs on it: {up}")
    else:
        yield Diagnosis("home", ok=True, says=f"{home}, {_free(home)}")


def _privacy(folders: Sequence[Path]) -> Iterator[Diagnosis]:
    """Report the folders of the state that other accounts may list: logs and events are in them."""
    if opened := [str(folder) for folder in dict.fromkeys(folders) if home_folder.open_to_others(folder)]:
        names = " ".join(map(shlex.quote, opened))
        yield Diagnosis(
            "privacy", ok=False, says=f"other accounts may list {', '.join(opened)}", advice=f"run: chmod go-rw {names}"
        )


def _free(home: Path) -> str:
    return f"{shutil.disk_usage(home_folder.existing(home)).free / 1e9:.1f} GB free"
