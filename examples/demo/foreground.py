"""Takes the terminal for this process, so that Ctrl-C reaches it and not the ``make`` it was started by.

``make`` ends with an error whenever it is interrupted, even if what it runs has ended well.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def foreground() -> Iterator[None]:
    """Have Ctrl-C reach this process alone within the block; no change where there is no terminal."""
    try:
        terminal = sys.stdin.fileno()
        before = os.tcgetpgrp(terminal)
    except (AttributeError, OSError, ValueError):  # Windows; no terminal; no standard input at all
        yield
        return
    if before != os.getpgrp() or before == os.getpid():  # in the background, or alone already
        yield
        return
    # Who is not in the foreground is stopped when it asks for the terminal back, unless it ignores that.
    old = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(terminal, before)
        os.setpgid(0, before)
        signal.signal(signal.SIGTTOU, old)
