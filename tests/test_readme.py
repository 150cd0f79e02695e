"""What the README shows works."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from mainspring import BackgroundScheduler, BlockingScheduler

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


EXAMPLE, SHARED, MORE, QUESTION = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_what_a_trigger_says_of_itself_is_what_stands_there(capsys):
    exec(compile(QUESTION, "README.md", "exec"), {})
    assert capsys.readouterr().out == QUESTION.splitlines()[-1].removeprefix("# ") + "\n"


def test_the_example_runs_until_it_is_told_to_end(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(EXAMPLE)
    with subprocess.Popen([sys.executable, "-u", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "Hello, now\n"
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143


def test_the_jobs_of_the_example_are_those_that_it_speaks_of(monkeypatch):
    names = {}
    monkeypatch.setattr(BlockingScheduler, "start", lambda self: None)
    exec(compile(EXAMPLE, "README.md", "exec"), names)
    triggers = [str(job.trigger) for job in names["scheduler"].get_jobs()]
    assert "interval[0:00:10]" in triggers
    assert "cron[day_of_week='mon-fri', hour='9']" in triggers


def test_the_example_of_a_store_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scheduler = BackgroundScheduler(timezone="UTC")
    exec(compile(SHARED, "README.md", "exec"), {"scheduler": scheduler})
    scheduler.start()
    scheduler.add_job(print, "cron", hour=9, id="a")
    scheduler.shutdown()
    assert (tmp_path / "jobs.sqlite").exists()


def fetch_orders():
    raise ValueError("the shop is closed")


def test_the_example_of_a_run_shows_what_became_of_it():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start()
    try:
        names = {"scheduler": scheduler, "fetch_orders": fetch_orders, "send_report": print}
        exec(compile(MORE, "README.md", "exec"), names)
        (run,) = scheduler.get_runs("orders")
        assert "the shop is closed" in run.traceback
        assert scheduler.get_runs("report") == []
    finally:
        scheduler.shutdown()


def test_its_two_commands_stand_on_lines_of_their_own():
    assert re.search(r"^make demo$", README, re.MULTILINE)
    assert re.search(r"^make test$", README, re.MULTILINE)


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target
