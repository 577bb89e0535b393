"""The deploy gate: it keeps rotation_cache from calling an LML that is too old for cache refreshes."""
