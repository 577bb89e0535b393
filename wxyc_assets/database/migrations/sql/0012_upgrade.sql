-- 0012_upgrade: the organisation of a billed row in the ledger of changes; what LML answered, and the album rows that it replaced.

ALTER TYPE wxyc_assets.usage_state ADD ATTRIBUTE org_id text;
COMMENT ON COLUMN wxyc_assets.usage_state.org_id IS
  'The organisation that the row named; null: none, or the station''s rated_usage has no such column.';

CREATE TABLE wxyc_assets.answer_batch (
  asset text NOT NULL,
  partition_key text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now(),
  batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id text NOT NULL,
  batch integer NOT NULL,
  answers json NOT NULL
);
COMMENT ON TABLE wxyc_assets.answer_batch IS
  'What LML answered about each input of a batch, written in the transaction that writes its rows: `wxyc why library` and `wxyc why album` read it.';
COMMENT ON COLUMN wxyc_assets.answer_batch.batch IS 'The number of the batch within its run, as in the log (batch_index).';
COMMENT ON COLUMN wxyc_assets.answer_batch.answers IS
  'An object by input id: outcome, the first 16 hex digits of the SHA-256 of the answer, and how LML found it.';
CREATE INDEX answer_batch_partition_ix ON wxyc_assets.answer_batch (asset, partition_key, written_at);

CREATE TABLE wxyc_assets.replaced_album (
  album_id integer NOT NULL,
  replaced_at timestamptz NOT NULL DEFAULT now(),
  before jsonb NOT NULL,
  PRIMARY KEY (album_id, replaced_at)
);
COMMENT ON TABLE wxyc_assets.replaced_album IS
  'Rows of album_metadata as they were before a run changed them. The run is that of the answer_batch with written_at = replaced_at.';
