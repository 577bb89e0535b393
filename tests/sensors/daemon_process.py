"""Dagster's daemon as ``wxyc up`` runs it, but impatient, and at night: ``python -m tests.sensors.a_daemon --workspace FILE``.

It looks every second where the real one looks every 5 to 30 seconds, and no day begins while a test watches.
"""

import sys
from datetime import UTC, datetime

from dagster._core.definitions.declarative_automation import automation_condition_evaluator
from dagster._daemon import asset_daemon, controller, sensor
from dagster._daemon.cli import run_command

EVERY_S = 1


def main() -> None:
    """Run until ended."""
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = EVERY_S  # of backfills
    asset_daemon.MIN_INTERVAL_LOOP_SECONDS = EVERY_S
    asset_daemon.is_under_min_interval = lambda *_args, **_settings: False  # of the automation
    sensor.is_under_min_interval = lambda *_args, **_settings: False  # of the other sensors
    began = datetime.now(UTC)
    ahead = began.replace(hour=3, minute=0) - began
    automation_condition_evaluator.get_current_datetime = lambda: datetime.now(UTC) + ahead
    run_command(sys.argv[1:])


if __name__ == "__main__":
    main()
