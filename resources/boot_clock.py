"""The clock for limits that must hold after a pause: it also runs while the machine is suspended or the process is stopped."""

import time

# Linux counts a suspension in CLOCK_BOOTTIME only; macOS has no such clock, and counts it in CLOCK_MONOTONIC.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_seconds() -> float:
    """Return the seconds since an arbitrary instant. Never steps back."""
    return time.clock_gettime(_CLOCK)
