-- generator_touch_flowsheet_watermark: moves the flowsheet's watermark as its trigger would.
UPDATE flowsheet_watermark SET last_modified_at = GREATEST(now(), last_modified_at + interval '1 second')
