-- insert_io_log: one captured request is stored, searchable by its words.
--
-- Parameters
--   request_id         text         the X-Request-Id that LML received
--   endpoint           text         which of LML's operations was called
--   request_body       text         sanitised, truncated to the cap
--   request_truncated  boolean      whether it was truncated
--   status_code        int          HTTP status of the last try; null without an answer
--   latency_ms         bigint       of all tries together
--   created_at         timestamptz  when the call ended
INSERT INTO io_log (request_id, resource_type, resource_id, request_body, request_truncated, response_body,
                    status_code, latency_ms, created_at, body_tsv)
VALUES (%(request_id)s, 'lml', %(endpoint)s, %(request_body)s::text, %(request_truncated)s, '',
        %(status_code)s, %(latency_ms)s, %(created_at)s, to_tsvector('simple', %(request_body)s::text || ' ' || ''))
