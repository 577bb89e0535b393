-- generator_enable_triggers: enables the station's triggers again.
ALTER TABLE artists ENABLE TRIGGER USER;
ALTER TABLE library ENABLE TRIGGER USER;
ALTER TABLE flowsheet ENABLE TRIGGER USER;
ALTER TABLE compilation_track_artist ENABLE TRIGGER USER;
