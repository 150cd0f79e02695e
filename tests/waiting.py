"""Waiting for facts."""

from __future__ import annotations

import time


def wait_for(condition, timeout: float = 40.0):
    """The first answer of `condition` that is something."""
    end = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < end, f"in {timeout} s that didn't come"
        time.sleep(0.02)
    return found
