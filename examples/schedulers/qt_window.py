"""The program has a window: short jobs touch it in its own thread, others run in threads beside it.

Runs until the window is closed, or for so many seconds: ``python examples/schedulers/qt_window.py 3``.
"""

import sys
from datetime import datetime
from time import sleep

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout, QWidget

from mainspring import QtExecutor, QtScheduler, ThreadPoolExecutor

application = QApplication(sys.argv)
window = QWidget(windowTitle="mainspring in Qt")
clock, work, button = QLabel(), QLabel("nothing has been worked out yet"), QPushButton("Pause")
layout = QVBoxLayout(window)
for widget in (clock, work, button):
    layout.addWidget(widget)

scheduler = QtScheduler(executors={"default": ThreadPoolExecutor(), "window": QtExecutor()})


def show_time():
    clock.setText(f"It is {datetime.now():%H:%M:%S}")


def work_out():
    sleep(0.5)  # the window goes on meanwhile
    total = sum(range(1_000_000))
    scheduler.add_job(
        work.setText, args=[f"worked out at {datetime.now():%H:%M:%S}: {total}"], executor="window"
    )


def pause_or_resume():
    paused = button.text() == "Pause"
    (scheduler.pause if paused else scheduler.resume)()
    button.setText("Resume" if paused else "Pause")


button.clicked.connect(pause_or_resume)
scheduler.add_job(show_time, "interval", seconds=1, first="now", executor="window")
scheduler.add_job(work_out, "interval", seconds=2, first="now")
scheduler.start()
window.show()
if len(sys.argv) > 1:
    QTimer.singleShot(int(float(sys.argv[1]) * 1000), application.quit)
application.exec()
scheduler.shutdown()
print(f"the end; it said: {clock.text()}; {work.text()}")
