-- select_server_state: whether sessions may write, and if not, because the server is a standby; the server's clock; and how many
-- more sessions it would take from this role: fewer of those that the server, the role and the database permit.
SELECT
  current_setting('transaction_read_only')::boolean AS read_only,
  pg_is_in_recovery() AS is_standby,
  clock_timestamp() AS server_at,
  LEAST(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - COALESCE(current_setting('reserved_connections', true)::int, 0)
      - (SELECT count(*) FROM pg_stat_activity WHERE usesysid IS NOT NULL),
    (
      SELECT NULLIF(r.rolconnlimit, -1) - (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid)
      FROM pg_roles r
      WHERE r.rolname = session_user
    ),
    (
      SELECT NULLIF(d.datconnlimit, -1) - (SELECT count(*) FROM pg_stat_activity WHERE datid = d.oid)
      FROM pg_database d
      WHERE d.datname = current_database()
    )
  )::int AS connections_left
