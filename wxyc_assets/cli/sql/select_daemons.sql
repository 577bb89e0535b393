-- select_daemons: how many daemons sent a heartbeat lately: within the given time before the newest one, by the daemons' clocks.
--
-- Parameters
--   within_s   int   seconds; longer than the time between two heartbeats of one kind
SELECT count(DISTINCT daemon_id)
FROM daemon_heartbeats
WHERE timestamp > (SELECT max(timestamp) FROM daemon_heartbeats) - make_interval(secs => %(within_s)s)
