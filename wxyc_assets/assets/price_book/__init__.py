"""price_book: the price file, validated and resolved to one exact rate for each model."""
