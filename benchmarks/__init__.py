"""What is claimed of speed, measured: each module prints one JSON object, ratios taken in one run."""
