"""Jobs that are exported before the scheduler is started."""

import io
import json

from apscheduler.schedulers.background import BackgroundScheduler

scheduler = BackgroundScheduler(timezone="UTC")
scheduler.add_job("builtins:print", "interval", hours=1, id="kept")
out = io.StringIO()
try:
    scheduler.export_jobs(out)
except RuntimeError as error:
    print("refused:", error)
else:
    print([job["id"] for job in json.loads(out.getvalue())["jobs"]])
