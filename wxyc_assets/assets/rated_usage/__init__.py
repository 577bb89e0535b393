"""rated_usage: computes what each customer's usage of each model cost, hour by hour."""
