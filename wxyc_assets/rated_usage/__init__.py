"""What each customer's usage of each model cost, hour by hour."""
