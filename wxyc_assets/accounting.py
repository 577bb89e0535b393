"""What every run must be able to prove of its numbers. Pure."""


def unaccounted(*, inputs_read: int, scanned: int, in_buckets: int) -> str:
    """Say how the numbers disagree, empty if every input was counted exactly once.

    ``inputs_read`` is counted where inputs are read, ``scanned`` where they are tallied, ``in_buckets`` is the sum of the
    outcomes: three counts that can only agree when nothing was lost or counted twice.
    """
    if inputs_read == scanned == in_buckets:
        return ""
    return f"{inputs_read} inputs were read, {scanned} were counted as scanned, {in_buckets} have an outcome"
