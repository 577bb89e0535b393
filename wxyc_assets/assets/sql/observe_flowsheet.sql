-- observe_flowsheet: how many entries there are, how many tracks wait for metadata, and when the flowsheet last changed.
SELECT (SELECT count(*) FROM flowsheet),
  (SELECT count(*) FROM flowsheet
   WHERE entry_type = 'track' AND artist_name IS NOT NULL AND metadata_status = 'pending'),
  (SELECT last_modified_at FROM flowsheet_watermark)
