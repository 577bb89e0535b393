-- 0003_upgrade: the budget remembers its last minute, and a run says how many Discogs calls it still has before it.

ALTER TABLE wxyc_assets.budget
  ADD COLUMN recent_at timestamptz[] NOT NULL DEFAULT '{}',
  ADD COLUMN recent_cost float8[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN wxyc_assets.budget.recent_at IS
  'Instants of the reservations in the minute before the last one, ascending; recent_cost has what each of them took.';

ALTER TABLE wxyc_assets.run ADD COLUMN discogs_calls_left float8;
COMMENT ON COLUMN wxyc_assets.run.discogs_calls_left IS
  'Discogs calls that the run still expects to ask for, by its own estimate; null if it never said.';

-- The first instant, not before earliest, at which so much more fits into every minute. Of the row's own arrays only: whoever
-- waited for the row's lock computes this anew from what the one before wrote.
CREATE FUNCTION wxyc_assets.budget_slot(
  recent_at timestamptz[], recent_cost float8[], earliest timestamptz, cost float8, per_minute float8, window_s float8
) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT GREATEST(earliest, max(r.at) + make_interval(secs => window_s))
  FROM (
    SELECT u.at, sum(u.cost) OVER (ORDER BY u.place DESC) AS since
    FROM unnest(recent_at, recent_cost) WITH ORDINALITY AS u (at, cost, place)
  ) r
  WHERE r.since > GREATEST(0, per_minute - cost)
$$;
COMMENT ON FUNCTION wxyc_assets.budget_slot IS
  'When a call of this cost may be made so that no window of window_s seconds holds more than per_minute; one that costs more than that stands alone in its window.';
