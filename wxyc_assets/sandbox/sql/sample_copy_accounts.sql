-- sample_copy_accounts: loads catalogue/accounts.csv.
COPY sample_account (auth_id, user_id, group_id, resource_id, resource_type, model, base_model, gpu_type, weight)
FROM STDIN WITH (FORMAT csv, HEADER)
