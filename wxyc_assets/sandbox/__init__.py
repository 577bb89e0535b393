"""The sample station: its tables, its catalogue, and an LML that can misbehave."""
