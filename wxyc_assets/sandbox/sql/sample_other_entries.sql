-- sample_other_entries: inserts the flowsheet entries that are no plays: show start and end, the breakpoint of each hour, talk.
INSERT INTO flowsheet (show_id, play_order, message, add_time, entry_type, legacy_entry_id, dj_name, radio_hour)
SELECT
    shows.id, remark.play_order, remark.message, shows.start_time + remark.after, remark.entry_type,
    500000 + shows.legacy_show_id * 100 + 50 + remark.play_order, shows.legacy_dj_name,
    CASE WHEN remark.entry_type = 'breakpoint' THEN shows.start_time + remark.after END
FROM shows
CROSS JOIN LATERAL (
    VALUES
        (0, 'show_start'::flowsheet_entry_type, interval '0 minutes', shows.legacy_dj_name || ' begins ' || shows.show_name),
        (6, 'talkset', interval '31 minutes', 'Talkset'),
        (12, 'breakpoint', interval '60 minutes', 'Breakpoint'),
        (18, 'talkset', interval '87 minutes', 'Talkset'),
        (24, 'show_end', interval '119 minutes', shows.legacy_dj_name || ' ends ' || shows.show_name)
) AS remark (play_order, entry_type, after, message)
ORDER BY shows.start_time, remark.play_order
