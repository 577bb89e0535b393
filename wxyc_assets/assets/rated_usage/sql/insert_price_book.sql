-- insert_price_book: the prices of a run are kept under their digest.
--
-- Parameters
--   digest, run_id   text
--   content          bytea   the file
INSERT INTO wxyc_assets.price_book (digest, content, first_used_by)
VALUES (%(digest)s, %(content)s, %(run_id)s)
ON CONFLICT (digest) DO NOTHING
