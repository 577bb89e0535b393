"""The log files that Dagster keeps of runs and of ticks: their number, their size, and their removal."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import dagster as dg
from dagster._core.storage.compute_log_manager import ComputeLogManager
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from wxyc_assets.retention.rules import Removed


def prune_run_logs(instance: dg.DagsterInstance, run_ids: Iterable[str], *, dry_run: bool) -> Removed:
    """Remove the log files of these runs. Files that are not on a disk of this machine are removed, and not counted."""
    manager = instance.compute_log_manager
    count = size = 0
    for run_id in run_ids:
        for file in _files(_folder(manager, [run_id])):
            count, size = count + 1, size + file.stat().st_size
        if not dry_run:
            manager.delete_logs(prefix=[run_id])
    return Removed("run_logs", count, size)


def prune_tick_logs(instance: dg.DagsterInstance, prefix: Sequence[str], before: datetime, *, dry_run: bool) -> Removed:
    """Remove the log files of a schedule or sensor that were last written before an instant, if they are on this machine."""
    count = size = 0
    for file in _files(_folder(instance.compute_log_manager, prefix)):
        entry = file.stat()
        if entry.st_mtime < before.timestamp():
            count, size = count + 1, size + entry.st_size
            if not dry_run:
                file.unlink(missing_ok=True)
    return Removed("tick_logs", count, size)


def _folder(manager: ComputeLogManager[dg.DagsterInstance], prefix: Sequence[str]) -> Path | None:
    if not isinstance(manager, LocalComputeLogManager):
        return None
    return Path(manager.get_captured_local_path([*prefix, "any"], "err")).parent


def _files(folder: Path | None) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file()) if folder else iter(())
