"""The questions of finance: what changed, a customer's bill of a month, what another price file would bill, an export.

Reads the bills and their ledger, and writes nothing that stays. Rating knows nothing of it.
"""
