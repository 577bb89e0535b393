-- generator_disable_triggers: what an owner who is no superuser can do instead; foreign keys are still checked. Undone
-- with the transaction, or by generator_enable_triggers.
ALTER TABLE artists DISABLE TRIGGER USER;
ALTER TABLE library DISABLE TRIGGER USER;
ALTER TABLE flowsheet DISABLE TRIGGER USER;
