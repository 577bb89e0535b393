"""The deploy gate: no cache is warmed by an LML that was deployed before it could."""
