-- sample_billing_events: inserts 5,000 events of yesterday (UTC), all attributable and priced by catalogue/prices.yaml.
-- Some have no event_ts, so that created_at is their rating instant; some are aborted; some prompts are mostly cached.
--
-- Parameters
--   anchor     timestamptz    the moment from which all ages count back
INSERT INTO billing_event (
    request_id, auth_id, user_id, group_id, resource_id, resource_type, model, base_model, adapter, prompt_tokens,
    cached_tokens, completion_tokens, finish_reason, gpu_type, aborted, event_ts, created_at
)
SELECT
    'req-' || substr(md5('request ' || event), 1, 20),
    account.auth_id,
    account.user_id,
    account.group_id,
    account.resource_id,
    account.resource_type,
    account.model,
    account.base_model,
    CASE WHEN account.model LIKE 'ft:%%' THEN split_part(account.model, ':', 3) END,
    prompt_tokens,
    pg_temp.sample_random('cached ' || event, 1 + prompt_tokens),
    completion_tokens,
    CASE WHEN aborted THEN 'abort' WHEN completion_tokens >= 790 THEN 'length' ELSE 'stop' END,
    account.gpu_type,
    aborted,
    CASE WHEN event %% 25 > 0 THEN happened_at END,
    happened_at + CASE WHEN event %% 25 > 0 THEN make_interval(secs => pg_temp.sample_random('late ' || event, 5)) ELSE interval '0' END
FROM (
    SELECT
        event,
        20 + pg_temp.sample_random('prompt ' || event, 3000) AS prompt_tokens,
        pg_temp.sample_random('aborted ' || event, 40) = 0 AS aborted,
        date_trunc('day', %(anchor)s, 'UTC') - interval '1 day'
            + make_interval(secs => event * 86400 / 5000 + pg_temp.sample_random('jitter ' || event, 17)) AS happened_at
    FROM generate_series(0, 4999) AS event
) AS events
JOIN (
    SELECT *, sum(weight) OVER (ORDER BY resource_id COLLATE "C", auth_id COLLATE "C") AS upto, sum(weight) OVER () AS total FROM sample_account
) AS account
    ON pg_temp.sample_random('account ' || event, account.total::integer) >= account.upto - account.weight
    AND pg_temp.sample_random('account ' || event, account.total::integer) < account.upto
CROSS JOIN LATERAL (
    SELECT CASE WHEN account.model = 'bge-m3' THEN 0 ELSE pg_temp.sample_random('completion ' || event, 800) END
) AS answer (completion_tokens)
ORDER BY event
