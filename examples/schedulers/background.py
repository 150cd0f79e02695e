"""The program does something else, and the scheduler runs beside it, in threads."""

from datetime import datetime
from time import sleep

from mainspring import BackgroundScheduler


def tick():
    print(f"tick at {datetime.now():%H:%M:%S.%f}")


scheduler = BackgroundScheduler()
scheduler.add_job(tick, "interval", seconds=0.5, max_fires=3)
scheduler.start()
sleep(1.8)  # what the program does
scheduler.shutdown()
print("the end")
