"""For the tests of programs that use mainspring."""

from mainspring.testing.clock import SettableClock, use_scheduler_clock
from mainspring.testing.faults import FaultyStore
from mainspring.testing.manual import ManualScheduler
from mainspring.testing.recorder import EventRecorder

__all__ = ["EventRecorder", "FaultyStore", "ManualScheduler", "SettableClock", "use_scheduler_clock"]
