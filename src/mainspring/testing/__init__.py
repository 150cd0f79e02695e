"""For the tests of programs that use mainspring."""

from mainspring.testing.clock import SettableClock

__all__ = ["SettableClock"]
