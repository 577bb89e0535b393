-- generator_replica_role: until the transaction ends, no trigger fires and PostgreSQL checks no foreign key. Superusers only.
-- The change notifications of a million rows would cost more than the rows, and the generator makes consistent rows.
SET LOCAL session_replication_role = replica
