"""What the demo schedules: fetching pages by date, by interval and by cron.

This is all that a program needs to do to have its functions run on time. The jobs are stored; adding one again keeps its
schedule, so a demo goes on where the last one was stopped.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, build_opener

if TYPE_CHECKING:
    from mainspring import BackgroundScheduler

#: Straight to the server, whatever proxy the machine is set up with.
_opener = build_opener(ProxyHandler({}))


def fetch(url: str) -> str:
    """Fetch a page, and say what came. A page that isn't there is an error, and the run ends as one."""
    with _opener.open(f"{url}?version={date.today()}", timeout=10) as answer:
        page = answer.read()
        return f"{answer.status} {answer.reason}, {len(page):,} bytes"


def schedule(scheduler: BackgroundScheduler, site: str) -> None:
    """Add the jobs."""
    now = datetime.now(UTC)
    add = partial(scheduler.add_job, replace_existing=True)
    add(fetch, "interval", seconds=2, args=[f"{site}/news"], id="news", name="interval, every 2 s")
    add(fetch, "interval", seconds=3, args=[f"{site}/stock"], id="stock", name="interval, every 3 s")
    add(fetch, "cron", second="*/5", args=[f"{site}/weather"], id="weather", name="cron, second */5")
    add(fetch, "cron", minute="*", args=[f"{site}/"], id="home", name="cron, each minute")
    add(fetch, "date", run_date=now + timedelta(seconds=5), args=[f"{site}/"], id="once", name="date, once")
    add(
        fetch,
        "date",
        run_date=now + timedelta(seconds=9),
        args=[f"{site}/backup"],
        id="backup",
        name="date, once",
    )
