-- select_daemon_table: whether Dagster's storage has its table of heartbeats: not before Dagster has opened it once.
SELECT to_regclass('daemon_heartbeats') IS NOT NULL
