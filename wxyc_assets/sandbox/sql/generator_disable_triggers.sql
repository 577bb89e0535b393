-- generator_disable_triggers: disables the triggers for a table owner who is no superuser; foreign keys are still
-- checked. A rollback or generator_enable_triggers undoes it.
ALTER TABLE artists DISABLE TRIGGER USER;
ALTER TABLE library DISABLE TRIGGER USER;
ALTER TABLE flowsheet DISABLE TRIGGER USER;
ALTER TABLE compilation_track_artist DISABLE TRIGGER USER;
