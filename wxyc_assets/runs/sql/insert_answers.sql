-- insert_answers: what LML answered about the inputs of one batch is recorded with this transaction.
--
-- Parameters
--   asset, partition_key, run_id   text
--   batch                          integer   the number of the batch within the run
--   answers                        json      an object by input id: outcome, digest, how LML found it
INSERT INTO wxyc_assets.answer_batch (asset, partition_key, run_id, batch, answers)
VALUES (%(asset)s, %(partition_key)s, %(run_id)s, %(batch)s, %(answers)s::json)
