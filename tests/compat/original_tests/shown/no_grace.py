"""A grace of zero seconds."""

from apscheduler.schedulers.background import BackgroundScheduler

scheduler = BackgroundScheduler(timezone="UTC")
try:
    job = scheduler.add_job(print, "interval", hours=1, misfire_grace_time=0)
except TypeError as error:
    print("refused:", error)
else:
    print("taken:", job.misfire_grace_time)
