-- generator_finish_plays: the flowsheet's watermark says that it changed, as its trigger would.
UPDATE flowsheet_watermark SET last_modified_at = GREATEST(now(), last_modified_at + interval '1 second')
