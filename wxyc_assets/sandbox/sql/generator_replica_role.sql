-- generator_without_triggers: until the transaction ends, no trigger fires and no foreign key is checked. Superusers only.
-- The change notifications of a million rows would cost more than the rows, and the rows fit each other by construction.
SET LOCAL session_replication_role = replica
