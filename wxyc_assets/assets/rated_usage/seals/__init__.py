"""Seals: receipts of rated hours, each chained to the one before, and the proof that a month still is what was sealed."""
