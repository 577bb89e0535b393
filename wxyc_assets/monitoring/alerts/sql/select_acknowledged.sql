-- select_acknowledged: the largest number of failures that an operator acknowledged, for each of these partitions of an alert.
--
-- Parameters
--   fingerprint   text
--   partitions    text[]
SELECT p.key, max(p.value::text::bigint)
FROM wxyc_assets.acknowledgement a
CROSS JOIN jsonb_each(a.by_partition) AS p (key, value)
WHERE a.fingerprint = %(fingerprint)s AND p.key = ANY (%(partitions)s::text[])
GROUP BY p.key
