"""The scheduler is all that the program does."""

from datetime import datetime

from mainspring import BlockingScheduler

scheduler = BlockingScheduler()


@scheduler.scheduled_job("interval", seconds=0.5, max_fires=3)
def tick():
    print(f"tick at {datetime.now():%H:%M:%S.%f}")


@scheduler.scheduled_job("interval", seconds=1.8, max_fires=1)
def stop():
    scheduler.shutdown(wait=False)


scheduler.start()  # returns when it is shut down
print("the end")
