-- select_lml_runs: the runs that ended lately, of the assets that ask LML, by their end: how many inputs LML left unanswered,
-- how many it answered, which partitions they tallied, and in which of those it answered nothing.
--
-- Parameters
--   run_id       text       only this run; null: all
--   assets       text[]
--   unanswered   text[]     asset/counter of the inputs without an answer
--   answered     text[]     asset/counter of the inputs with one
--   look_back    interval
WITH tallied AS (
  SELECT r.run_id, t.partition_key,
    COALESCE(sum(CASE WHEN r.asset || '/' || c.key = ANY (%(unanswered)s::text[]) THEN c.value::bigint END), 0) AS unanswered,
    COALESCE(sum(CASE WHEN r.asset || '/' || c.key = ANY (%(answered)s::text[]) THEN c.value::bigint END), 0) AS answered
  FROM wxyc_assets.run r
  LEFT JOIN wxyc_assets.tally t ON t.run_id = r.run_id AND t.asset = r.asset
  LEFT JOIN LATERAL jsonb_each_text(t.counters) c ON true
  WHERE r.asset = ANY (%(assets)s::text[]) AND r.ended_at > clock_timestamp() - %(look_back)s::interval
    AND (%(run_id)s::text IS NULL OR r.run_id = %(run_id)s::text)
  GROUP BY r.run_id, t.partition_key
)
SELECT r.run_id, r.asset, r.origin = 'routine', r.ended_at, COALESCE(r.reason, ''),
  sum(t.unanswered)::bigint, sum(t.answered)::bigint,
  COALESCE(array_agg(t.partition_key) FILTER (WHERE t.partition_key IS NOT NULL), '{}'),
  COALESCE(array_agg(t.partition_key) FILTER (WHERE t.unanswered > 0 AND t.answered = 0), '{}')
FROM tallied t
JOIN wxyc_assets.run r USING (run_id)
GROUP BY r.run_id
ORDER BY r.ended_at, r.run_id
