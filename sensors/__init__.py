"""What decides to run something, and what tells people."""
