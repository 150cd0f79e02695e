"""For the tests of programs that use mainspring."""

from mainspring.testing.clock import SettableClock
from mainspring.testing.recorder import EventRecorder

__all__ = ["EventRecorder", "SettableClock"]
