"""Usage outside the trailing hours that no rating has seen: how it is found, and how an operator accepts it."""
