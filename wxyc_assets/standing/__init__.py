"""How the station stands: which partitions are fresh, late, failed or were never built, from our own schema alone."""
