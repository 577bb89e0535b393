"""Dagster's daemon as ``wxyc up`` runs it, with short intervals and a clock at 3 in the morning.

Usage: ``python -m tests.sensors.daemon_process --workspace FILE``.

Its sensors tick every second, where those of the real daemon tick every 5 to 30 seconds. No day begins during a test.
"""

import sys
from datetime import UTC, datetime

from dagster._core.definitions.declarative_automation import automation_condition_evaluator
from dagster._daemon import asset_daemon, controller, sensor
from dagster._daemon.cli import run_command

INTERVAL_S = 1


def main() -> None:
    """Run until the process is terminated."""
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = INTERVAL_S  # of backfills
    asset_daemon.MIN_INTERVAL_LOOP_SECONDS = INTERVAL_S
    vars(asset_daemon)["is_under_min_interval"] = lambda *_args, **_settings: False  # of the automation
    sensor.is_under_min_interval = lambda *_args, **_settings: False  # of the other sensors
    started = datetime.now(UTC)
    ahead = started.replace(hour=3, minute=0) - started
    vars(automation_condition_evaluator)["get_current_datetime"] = lambda: datetime.now(UTC) + ahead
    run_command(sys.argv[1:])


if __name__ == "__main__":
    main()
