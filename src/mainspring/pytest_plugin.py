"""Fixtures for pytest, which finds them by itself where mainspring is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainspring.testing.manual import ManualScheduler
    from mainspring.testing.recorder import EventRecorder


@pytest.fixture
def manual_scheduler() -> Iterator[ManualScheduler]:
    """A started `ManualScheduler`, at the first moment of 2026 in UTC."""
    from mainspring.testing.manual import ManualScheduler

    scheduler = ManualScheduler()
    scheduler.start()
    yield scheduler
    if scheduler.running:
        scheduler.shutdown()


@pytest.fixture
def recorded_events(manual_scheduler: ManualScheduler) -> EventRecorder:
    """An `EventRecorder` that hears all events of `manual_scheduler`."""
    from mainspring.events import EVENT_EVERY
    from mainspring.testing.recorder import EventRecorder

    recorder = EventRecorder()
    manual_scheduler.add_listener(recorder, EVENT_EVERY)
    return recorder
