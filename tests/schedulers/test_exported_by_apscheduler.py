"""A file that APScheduler 3.11.3's `export_jobs` wrote: three jobs that call `json.dumps`, in Europe/Berlin."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

EXPORTED = Path(__file__).parent / "data" / "exported_by_apscheduler_3_11_3.json"
BERLIN = ZoneInfo("Europe/Berlin")


def test_what_apscheduler_exported_can_be_imported(scheduler):
    scheduler.start(paused=True)
    interval, cron, date = scheduler.import_jobs(EXPORTED)
    assert [job.id for job in (interval, cron, date)] == ["a", "b", "c"]
    assert all(job.misfire_grace_time == 1 for job in (interval, cron, date))
    assert (interval.args, interval.kwargs) == (({"a": 1},), {"indent": 2})
    assert interval.trigger.interval == timedelta(seconds=5)
    assert interval.next_run_time == interval.trigger.start_date
    assert cron.args == (datetime(2026, 1, 1),)
    assert str(cron.trigger) == "cron[day_of_week='mon-fri', hour='1-5/2']"
    assert cron.trigger.jitter == 5
    first = cron.trigger.get_next_fire_time(None, datetime(2026, 12, 5, tzinfo=UTC))
    assert timedelta(0) <= first - datetime(2026, 12, 7, 1, tzinfo=BERLIN) <= timedelta(seconds=5)
    assert date.args == ({1, 2},)
    assert date.trigger.run_date == datetime(2027, 1, 1, tzinfo=BERLIN)
