-- sample_drop_random: drops the function of sample_staging; the staging tables end with the transaction, the function does not.
DROP FUNCTION pg_temp.sample_random(text, integer)
