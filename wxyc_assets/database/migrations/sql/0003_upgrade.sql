-- 0003_upgrade: the budget remembers its last minute, and a run says how many Discogs calls it still has before it.

ALTER TABLE wxyc_assets.budget
  ADD COLUMN recent_at timestamptz[] NOT NULL DEFAULT '{}',
  ADD COLUMN recent_cost float8[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN wxyc_assets.budget.recent_at IS
  'Instants of the reservations in the minute before the last one, ascending; recent_cost has what each of them took.';

ALTER TABLE wxyc_assets.run ADD COLUMN discogs_calls_left float8;
COMMENT ON COLUMN wxyc_assets.run.discogs_calls_left IS
  'Discogs calls that the run still expects to ask for, by its own estimate; null if it never said.';

-- One reservation, under the row's lock, so that it counts every earlier one. It takes the first instant after everything reserved
-- and after any block at which each minute can hold its cost as well. A function of the database, because its plans are cached and
-- every call to LML waits for it.
CREATE FUNCTION wxyc_assets.reserve_budget(
  budget_name text, cost float8, per_minute float8, window_s float8, OUT wait_s float8, OUT mark timestamptz, OUT entry timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
  held wxyc_assets.budget;
  slot timestamptz;
BEGIN
  SELECT * INTO held FROM wxyc_assets.budget b WHERE b.name = budget_name FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT GREATEST(held.tat, held.blocked_until, clock_timestamp(), max(r.at) + make_interval(secs => window_s)) INTO slot
  FROM (
    SELECT u.at, sum(u.cost) OVER (ORDER BY u.place DESC) AS since
    FROM unnest(held.recent_at, held.recent_cost) WITH ORDINALITY AS u (at, cost, place)
  ) r
  WHERE r.since > GREATEST(0, per_minute - reserve_budget.cost);
  -- A fast budget is remembered by quarters of a second, each at its end, or the row would grow with the rate.
  entry := CASE WHEN cardinality(held.recent_at) < 256 THEN slot
    ELSE date_bin('250 ms', slot, 'epoch') + interval '250 ms' END;
  mark := slot + make_interval(secs => cost * 60 / per_minute);
  UPDATE wxyc_assets.budget b
  SET tat = mark, recent_at = kept.at, recent_cost = kept.cost
  FROM (
    SELECT array_agg(e.at ORDER BY e.at) AS at, array_agg(e.cost ORDER BY e.at) AS cost
    FROM (
      SELECT u.at, sum(u.cost) AS cost
      FROM unnest(held.recent_at || entry, held.recent_cost || reserve_budget.cost) AS u (at, cost)
      WHERE u.at > clock_timestamp() - make_interval(secs => window_s)
      GROUP BY u.at
    ) e
  ) kept
  WHERE b.name = budget_name;
  wait_s := GREATEST(0, extract(epoch FROM slot - clock_timestamp()));
END
$$;
COMMENT ON FUNCTION wxyc_assets.reserve_budget IS
  'Takes cost calls so that no window of window_s seconds holds more than per_minute (a call that alone costs more stands alone in its window); says how long to wait before making them. All null: there is no such budget.';
