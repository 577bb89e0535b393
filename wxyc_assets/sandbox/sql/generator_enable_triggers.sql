-- generator_enable_triggers: the station's triggers fire again.
ALTER TABLE artists ENABLE TRIGGER USER;
ALTER TABLE library ENABLE TRIGGER USER;
ALTER TABLE flowsheet ENABLE TRIGGER USER;
