"""What the arguments of a job are that was imported."""

from io import StringIO

from apscheduler.schedulers.background import BackgroundScheduler

scheduler = BackgroundScheduler(timezone="UTC")
scheduler.start(paused=True)
scheduler.add_job(print, "interval", hours=1, args=["foo", "bar"], id="a")
exported = StringIO()
scheduler.export_jobs(exported)
scheduler.remove_job("a")
scheduler.import_jobs(StringIO(exported.getvalue()))
print(scheduler.get_job("a").args)
scheduler.shutdown()
