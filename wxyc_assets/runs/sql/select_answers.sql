-- select_answers: what LML answered about one input, the latest first, and the run that wrote it.
--
-- Parameters
--   asset, partition_key, input_id   text
--   row_limit                        integer
SELECT b.written_at, b.run_id, r.origin, r.started_at AS run_started_at, b.batch, a.answer ->> 0 AS outcome,
  a.answer ->> 1 AS answer_digest, a.answer ->> 2 AS method
FROM wxyc_assets.answer_batch b
CROSS JOIN LATERAL (SELECT b.answers -> %(input_id)s::text AS answer) a
LEFT JOIN wxyc_assets.run r ON r.run_id = b.run_id
WHERE b.asset = %(asset)s AND b.partition_key = %(partition_key)s AND a.answer IS NOT NULL
ORDER BY b.written_at DESC, b.batch_id DESC
LIMIT %(row_limit)s::integer
