"""What usage costs: the price file, checked and resolved to one exact rate per model."""
