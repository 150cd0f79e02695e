"""What a job that waits for the start says of itself."""

from apscheduler.schedulers.background import BackgroundScheduler

job = BackgroundScheduler(timezone="UTC").add_job(print, "interval", hours=1)
for name in ("misfire_grace_time", "coalesce", "max_instances"):
    print(name, getattr(job, name, "isn't there"))
