"""Which databases there are, how our own schema is migrated, and what the columns of the tables mean.

Statements that belong to one subject live in that subject's ``sql/`` folder; sessions are opened by ``resources.postgres``.
"""
