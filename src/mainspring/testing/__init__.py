"""For the tests of programs that use mainspring.

`manual.py` has `ManualScheduler`, whose time passes only when a test says so, and which runs jobs on the test's own thread;
`clock.py` has the clock for it. `recorder.py` notes events, `faults.py` makes stores fail. `conformance` is the contract of
job stores as tests, for whoever writes one. `simulation` plays stories of several nodes, and `checker` judges histories.

Nothing in the library imports this package. Start at ``docs/testing.md``.
"""

from mainspring.testing.clock import SettableClock, use_scheduler_clock
from mainspring.testing.faults import FaultyStore
from mainspring.testing.manual import ManualScheduler
from mainspring.testing.recorder import EventRecorder

__all__ = ["EventRecorder", "FaultyStore", "ManualScheduler", "SettableClock", "use_scheduler_clock"]
