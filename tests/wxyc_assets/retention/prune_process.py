"""Prunes in a process of its own that a test can kill: ``prune_process.py FOLDER_OF_DAGSTER STATION_DSN``."""

import sys

import dagster as dg

from resources.postgres import Postgres
from tests.wxyc_assets.retention.storages import NINETY
from wxyc_assets.retention.prune import prune

if __name__ == "__main__":
    folder, dsn = sys.argv[1:]
    with dg.DagsterInstance.from_config(folder) as instance:
        prune(instance, Postgres(dsn), Postgres(dsn), NINETY, dry_run=False)
