"""The picture of `mainspring top` in the documentation, of made-up jobs: `docs/top.svg`.

.venv/bin/python scripts/picture_of_top.py
"""

from __future__ import annotations

import argparse
import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainspring.admin.overview import Lateness, Overview
from mainspring.admin.views import JobView, NodeView, RunView
from mainspring.cli.top.application import Top
from mainspring.clock import REAL_CLOCK  # noqa: TID251 - nothing of the picture goes by it

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURE = Path(__file__).parents[1] / "docs" / "top.svg"
NOW = datetime(2026, 11, 27, 9, 30, 12, tzinfo=UTC)


def job(job_id: str, due: timedelta | None, schedule: str, note: str | None = None) -> JobView:
    """A job that is due in a while, or paused."""
    state, time = ("paused", None) if due is None else ("scheduled", NOW + due)
    return JobView(job_id, job_id, state, "app:work", schedule, time, "default", None, (), note, None, "", {})


def run(job_id: str, ago: timedelta, state: str = "running", **more: Any) -> RunView:
    """A run that was due a while ago."""
    time = NOW - ago
    values: dict[str, Any] = {
        "id": f"{job_id}/{time:%Y-%m-%dT%H:%M:%S.%fZ}/1",
        "job_id": job_id,
        "scheduled": time,
        "attempt": 1,
        "state": state,
        "cause": "schedule",
        "node": "web-1",
        "started": None,
        "finished": None if state in ("running", "queued") else time,
        "duration": ago,
        "lateness": timedelta(milliseconds=8),
        "error": None,
        "reason": None,
        "result": None,
        "traceback": None,
        "log": None,
        "progress": None,
        "due_times": 1,
    }
    return RunView(**{**values, **more})


def node(name: str, pid: int, silent: timedelta, offset: timedelta, *executors: str) -> NodeView:
    """A node that was heard of a while ago."""
    is_silent = silent > timedelta(seconds=30)
    start = NOW - timedelta(days=3)
    return NodeView(
        name,
        "silent" if is_silent else "alive",
        name,
        pid,
        "0.1.0",
        executors,
        start,
        NOW - silent,
        silent,
        timedelta(seconds=30),
        offset,
    )


SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
OVERVIEW = Overview(
    time=NOW,
    open_runs=(
        run("rebuild-search-index", 12 * MINUTE, progress=(61_400, 90_000, "pages"), node="batch-1"),
        run("import-orders", 42 * SECOND, progress=(3, 8, "files")),
        run("resize-images", 9 * SECOND, progress=(1_204, None, "images"), node="batch-1"),
        run("sync-crm", 2 * SECOND, lateness=4 * SECOND),
        run("send-newsletter", 1 * SECOND, "queued", node=None, duration=None, lateness=None),
    ),
    upcoming=(
        job("poll-feeds", 18 * SECOND, "every 30 seconds"),
        job("charge-subscriptions", 29 * MINUTE + 48 * SECOND, "at 10:00 every day, UTC"),
        job("nightly-backup", 16 * HOUR, "at 01:30 every day, UTC"),
        job("weekly-report", timedelta(days=2, hours=22), "at 08:00 on monday, UTC"),
        job("print-labels", None, "every 5 minutes", "the printer is broken"),
    ),
    failures=(
        run("sync-crm", 6 * MINUTE, "failed", error="ConnectionError: crm.example.com gives no answer"),
        run("export-invoices", 3 * HOUR, "timed_out", error="it took longer than 10 minutes"),
    ),
    nodes=(
        node("web-1", 4120, 2 * SECOND, timedelta(milliseconds=3), "default"),
        node("web-2", 4188, 48 * SECOND, timedelta(milliseconds=-5), "default"),
        node("batch-1", 977, 1 * SECOND, timedelta(milliseconds=1), "default", "processes"),
    ),
    lateness=Lateness(timedelta(milliseconds=11), 4 * SECOND, 0, None),
)


class MadeUp:
    """Answers as the thread that asks a store does, with the same always."""

    def ask(self, _: object, answer: Callable[[object], None], **__: object) -> None:
        """Answer."""
        answer(OVERVIEW)


async def picture() -> str:
    """The screen, as SVG."""
    store: Any = MadeUp()
    screen = Top(store, name="postgresql://shop@db/jobs", zone=UTC, interval=2.0, clock=REAL_CLOCK)
    async with screen.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        drawn = screen.export_screenshot(title="mainspring top")
    # Whoever looks at the documentation asks nobody else for a font.
    return re.sub(r"Fira Code", "monospace", re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL))


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=PICTURE)
    parser.parse_args().to.write_text(asyncio.run(picture()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
