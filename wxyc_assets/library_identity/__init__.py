"""The identity of each library row, asked of LML and kept fresh."""
