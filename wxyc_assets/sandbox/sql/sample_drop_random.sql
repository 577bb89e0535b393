-- sample_drop_random: the staging tables end with the transaction, their function does not.
DROP FUNCTION pg_temp.sample_random(text, integer)
