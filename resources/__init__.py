"""The outside world: one module a system, each configuration that yields a plain object. Knows nothing of the assets."""
