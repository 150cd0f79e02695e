"""``mainspring top``: what it shows and what its keys do, by Textual's pilot; `test_top_in_a_terminal.py` has it as people see it."""

from __future__ import annotations

import asyncio
import html
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.widgets import Input, Static

from mainspring.admin import Admin
from mainspring.admin.overview import Lateness, Overview, overview_of
from mainspring.admin.views import JobView, NodeView, RunView
from mainspring.cli import main
from mainspring.cli.top.application import Answered, Top
from mainspring.cli.top.details import Details
from mainspring.cli.top.dialogs import Dialog
from mainspring.cli.top.panes import PANES, cell, summary
from mainspring.cli.top.status import Status
from mainspring.cli.top.store_thread import NotBegunError, StoreThread
from mainspring.clock import SYSTEM_CLOCK
from mainspring.errors import StoreUnavailableError
from mainspring.jobstores.by_url import store_for

pytestmark = pytest.mark.one_python

CHECKOUT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOSTILE = "\x1b[31m[bold]x[/bold]\u202e日本語" + "y" * 200


def job(job_id, **changes):
    view = JobView(
        job_id, job_id, "scheduled", "time:time", "every hour", NOW, "default", None, (), None, None, "", {}
    )
    return replace(view, **changes)


def run(job_id, state="running", **changes):
    view = RunView(
        id=f"{job_id}/2026-11-27T12:00:00.000000Z/1",
        job_id=job_id,
        scheduled=NOW,
        attempt=1,
        state=state,
        cause="schedule",
        node="web-1",
        started=None,
        finished=None,
        duration=timedelta(seconds=5),
        lateness=timedelta(0),
        error=None,
        reason=None,
        result=None,
        traceback=None,
        log=None,
        progress=None,
        due_times=1,
    )
    return replace(view, **changes)


def overview(jobs=(), runs=(), failures=(), nodes=(), more=()):
    return Overview(
        NOW, tuple(runs), tuple(jobs), tuple(failures), tuple(nodes), Lateness(None, None, 0, None), more
    )


# What is shown


@settings(max_examples=40)
@given(text=st.text(max_size=80), width=st.integers(0, 60))
def test_a_cell_is_as_wide_as_it_is_said_whatever_is_put_into_it(text, width):
    shown = cell(text, width).plain
    assert cell_len(shown) == width
    assert shown == "" or shown.isprintable()


@pytest.mark.parametrize("pane", PANES, ids=[pane.name for pane in PANES])
def test_columns_fill_a_pane_and_no_more_at_any_width(pane):
    for width in range(10, 250):
        widths = pane.widths(width)
        assert sum(widths) <= max(
            width, sum(column.width for column in pane.columns if not column.from_width)
        )
        if width >= 40:
            assert sum(widths) == width
            assert all(found >= 7 for found in widths if found)
            assert cell_len(pane.heading("500+", widths).plain) == width


def test_what_stands_in_names_and_texts_is_shown_as_it_is_and_steers_nothing():
    node = NodeView(HOSTILE, "alive", "host", 1, "1", (HOSTILE,), NOW, NOW, *(timedelta(0),) * 3)
    seen = overview(
        [job(HOSTILE), job(HOSTILE, state="paused", next_run_time=None, note=HOSTILE)],
        [run(HOSTILE, progress=(1, 2, HOSTILE), node=HOSTILE)],
        [run(HOSTILE, "failed", error=HOSTILE)],
        [node],
    )
    for pane in PANES:
        widths = pane.widths(200)
        (row, *_) = pane.rows(seen)
        shown = "".join(cell(text, width).plain for text, width in zip(row.cells, widths, strict=True))
        assert shown.isprintable()
        assert "\\x1b[31m[bold]x[/bold]\\u202e日本語" in shown
        assert cell_len(shown) == 200


@pytest.mark.parametrize(
    ("progress", "shown"),
    [
        (None, "running"),
        ((1, 4, "rows"), "██░░░░░░  25 % rows"),
        ((7, None, "rows"), "7 rows"),
        ((5, 4, ""), "████████ 100 %"),
        ((-1, 4, ""), "░░░░░░░░   0 %"),
        ((1, 0, "odd"), "1 odd"),
        ((float("nan"), 4, ""), "nan"),
        ((1, float("inf"), ""), "1"),
    ],
)
def test_how_far_a_run_is_is_a_bar_where_the_whole_is_known(progress, shown):
    (row,) = PANES[0].rows(overview(runs=[run("a", progress=progress)]))
    assert row.cells[1] == shown


def test_the_summary_counts_and_says_what_is_late():
    seen = overview(
        runs=[run("a"), run("b", "queued")],
        failures=[run("c", "failed")],
        nodes=[
            NodeView("n", state, "h", 1, "1", (), NOW, NOW, *(timedelta(0),) * 3)
            for state in ("alive", "silent")
        ],
    )
    assert summary(seen) == "1 node · 1 silent · 1 running · 1 queued · 1 failed"
    late = Lateness(timedelta(milliseconds=12), timedelta(seconds=3), 2, timedelta(minutes=2))
    assert summary(replace(seen, lateness=late, more=("open_runs", "failures"))) == (
        "1 node · 1 silent · 1+ running · 1+ queued · 1+ failed · late 12 ms, worst 3.0 s · 2 overdue, by 2 min"
    )


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (Status(None, None, None, 1, None, None, 2, 2), "Asking the store …"),
        (Status(None, None, None, 9, None, None, 2, 2), "The store has given no answer for 9 s."),
        (Status(NOW, None, None, 1, None, None, 2, 2), "2026-11-27 12:00:00 UTC · every 2 s"),
        (
            Status(NOW, None, None, 1, None, None, 2, 8),
            "2026-11-27 12:00:00 UTC · every 8 s: the store is slow",
        ),
        (
            Status(NOW, None, "can't be reached", 9, "report is paused.", None, 2, 2),
            "report is paused. The store has given no answer for 9 s: it can't be reached. Shown is 12:00:00.",
        ),
        (
            Status(NOW, "it is away", None, 0, None, None, 2, 2),
            "No answer from the store: it is away. Shown is 12:00:00. It is asked again.",
        ),
        (Status(NOW, None, None, 1, "report is paused.", None, 2, 2), "report is paused."),
    ],
)
def test_it_is_said_in_words_how_current_the_screen_is(status, shown):
    assert status.text() == shown


# The store


class Store:
    """An `Admin` that fails or hangs when it is told to."""

    def __init__(self, admin):
        self._admin = admin
        self.error = None
        self.gate = threading.Event()
        self.gate.set()

    def __getattr__(self, name):
        found = getattr(self._admin, name)
        if not callable(found):
            return found

        def ask(*args, **options):
            assert self.gate.wait(60)
            if self.error is not None:
                raise self.error
            return found(*args, **options)

        return ask


class SetClock:
    def __init__(self):
        self.time = 0.0

    def monotonic(self):
        return self.time


def test_what_could_not_be_asked_in_time_is_never_asked():
    clock, gate, answers = SetClock(), threading.Event(), []
    over = threading.Event()
    thread = StoreThread(None, clock)
    thread.ask(lambda _: gate.wait(60), answers.append)
    thread.ask(lambda _: answers.append("it was done"), answers.append, seconds=10)
    thread.ask(lambda _: "looked", lambda found: (answers.append(found), over.set()))
    clock.time = 11.0
    gate.set()
    assert over.wait(60)
    assert [answers[0], type(answers[1]), answers[2:]] == [True, NotBegunError, ["looked"]]


# The keys


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/jobs.sqlite"


@pytest.fixture
def node(url, make_scheduler):
    node = make_scheduler(jobstores={"default": store_for(url)}, start=True)
    node.add_job("time:time", "cron", hour=3, id="night")
    node.add_job("time:time", "cron", hour=4, id=HOSTILE[:150])
    return node


def waits():
    from mainspring import current_run

    current_run().progress(1, 4, "rows")
    current_run().log.info("it has begun")
    current_run().cancelled.wait(60)


def fails():
    raise ValueError("no [bold]printer")


class Screen:
    """A screen of the size of a terminal, and what stands on it."""

    def __init__(self, app, pilot, store):
        self.app, self.pilot, self.store = app, pilot, store

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def status(self):
        return str(self.app.screen_stack[0].query_one("#status", Static).content)

    def rows(self, pane):
        table = self.app.screen_stack[0].query_one(f"#{pane}").table
        return ["".join(map(str, table.get_row_at(row))).rstrip() for row in range(table.row_count)]

    async def until(self, fact):
        end = time.monotonic() + 30
        while not (found := fact()):
            assert time.monotonic() < end, (
                self.status(),
                {pane.name: self.rows(pane.name) for pane in PANES},
            )
            await asyncio.sleep(0.02)
        return found


@pytest.fixture
def on_screen(url, node):
    """Runs a test's coroutine before a screen."""

    def show(test, size=(80, 24), interval=0.2, clock=SYSTEM_CLOCK):
        async def main():
            with Admin(url, timezone="UTC") as admin:
                store = Store(admin)
                app = Top(
                    StoreThread(store, clock),
                    name=url,
                    zone=UTC,
                    interval=interval,
                    clock=clock,
                )
                async with app.run_test(size=size) as pilot:
                    screen = Screen(app, pilot, store)
                    try:
                        await screen.until(lambda: screen.rows("upcoming"))
                        await test(screen)
                    finally:
                        store.gate.set()
                return app

        return asyncio.run(main())

    return show


def test_a_job_is_paused_and_resumed_by_key_after_a_confirmation(on_screen, node):
    async def test(screen):
        await screen.press("2", "p")
        assert isinstance(screen.app.screen, Dialog)
        await screen.press("escape")
        assert screen.status() == "Nothing was done."
        assert node.get_job("night").next_run_time is not None
        await screen.press("p", *"jam", "enter")
        await screen.until(lambda: screen.status() == "night is paused.")
        paused = node.get_job("night")
        assert (paused.next_run_time, paused.note) == (None, "jam")
        (noted,) = screen.store.audit("night")
        assert (noted.action, noted.why) == ("pause", "jam")
        assert noted.who
        # It has moved below the others, and is still the one that is chosen.
        await screen.until(lambda: "paused: jam" in screen.rows("upcoming")[-1])
        await screen.press("p", "enter")
        await screen.until(lambda: screen.status().startswith("night runs next at "))
        assert node.get_job("night").next_run_time is not None

    on_screen(test)


def test_a_job_is_run_its_run_shown_and_cancelled_by_key(on_screen, node):
    node.add_job(waits, "interval", hours=1, id="long")

    async def test(screen):
        await screen.until(lambda: any("long" in row for row in screen.rows("upcoming")))
        await screen.press("2", "r", *"ok", "enter")
        (row,) = await screen.until(lambda: "25 %" in str(screen.rows("running")) and screen.rows("running"))
        assert row.startswith("long")
        assert row.split("%")[1].split()[0] == "rows"
        await screen.press("1", "c")
        assert "Cancel long/" in str(screen.app.screen.query_one(".title", Static).content)
        await screen.press(*"no", "enter")
        await screen.until(lambda: not screen.rows("running"))
        assert [(one.action, one.why) for one in screen.store.audit("long")] == [
            ("cancel", "no"),
            ("run", "ok"),
        ]
        (ended,) = node.get_runs("long")
        assert ended.outcome == "cancelled"
        await screen.press("c")
        assert screen.status() == "Only runs can be cancelled: choose one that runs."

    on_screen(test)


def test_the_log_of_a_run_is_shown_and_what_has_ended_cannot_be_cancelled(on_screen, node):
    node.add_job(fails, "interval", hours=1, first="now", id="bad \x1b[31m[red]")

    async def test(screen):
        await screen.until(lambda: screen.rows("failed"))
        await screen.press("3", "c")
        assert screen.status().endswith(" has ended.")
        await screen.press("enter")
        assert isinstance(screen.app.screen, Details)

        def text():
            return "".join(
                segment.text
                for line in screen.app.screen.query_one("VerticalScroll > Static").render_lines(
                    screen.app.screen.query_one("VerticalScroll > Static").size.region
                )
                for segment in line
            )

        await screen.until(lambda: "ValueError: no [bold]printer" in text())
        assert "bad \\x1b[31m[red]" in text()
        assert "Traceback" in text()
        await screen.press("q")
        assert screen.app.is_running
        await screen.press("r", "enter")
        await screen.until(lambda: len(node.get_runs("bad \x1b[31m[red]")) == 2)
        assert screen.store.audit()[0].action == "retry"
        assert not isinstance(screen.app.screen, Details)

    on_screen(test)


def test_only_what_was_looked_for_is_shown(on_screen):
    async def test(screen):
        assert len(screen.rows("upcoming")) == 2
        await screen.press("slash", *"NIG", "enter")
        await screen.until(lambda: len(screen.rows("upcoming")) == 1)
        assert "only 'NIG'" in screen.status()
        await screen.press("slash")
        screen.app.screen.query_one(Input).value = ""
        await screen.press("enter")
        await screen.until(lambda: len(screen.rows("upcoming")) == 2)

    on_screen(test)


def test_a_store_that_is_away_is_told_of_and_asked_again(on_screen):
    async def test(screen):
        before = screen.rows("upcoming")
        screen.store.error = StoreUnavailableError("the cable is \x1b[31m[red]out")
        await screen.until(lambda: "the cable is \\x1b[31m[red]out" in screen.status())
        assert screen.status().startswith("No answer from the store: ")
        assert len(screen.rows("upcoming")) == len(before)
        await screen.press("2", "r", "enter")
        await screen.until(lambda: screen.status().startswith("It failed: the cable"))
        screen.store.error = None
        await screen.until(lambda: "No answer" not in screen.status())

    on_screen(test)


class HurryingClock(SetClock):
    """A second goes by whenever it is read."""

    def monotonic(self):
        self.time += 1.0
        return self.time


def test_a_store_that_is_slow_is_asked_less_often(on_screen):
    async def test(screen):
        await screen.until(lambda: screen.status().endswith(" s: the store is slow"))
        assert screen.app._pause >= 4

    on_screen(test, clock=HurryingClock())


def test_a_store_that_hangs_stops_no_key_and_no_end(on_screen, monkeypatch):
    monkeypatch.setattr("mainspring.cli.top.status.SLOW_SECONDS", 0.1)

    async def test(screen):
        screen.store.gate.clear()
        await screen.until(lambda: "no answer for" in screen.status())
        await screen.press("2", "down")
        assert screen.app._views["upcoming"].table.cursor_row == 1
        await screen.press("l")
        assert isinstance(screen.app.screen, Details)
        await screen.press("ctrl+c")

    assert on_screen(test).return_code == 130


@pytest.mark.parametrize(
    ("opened", "key", "code"), [(("2", "p"), "ctrl+c", 130), (("2", "l"), "ctrl+q", 0), ((), "q", 0)]
)
def test_it_ends_from_wherever_one_is(on_screen, opened, key, code):
    async def test(screen):
        await screen.press(*opened)
        await screen.press(key)

    assert on_screen(test).return_code == code


def test_an_answer_that_comes_when_it_has_ended_is_no_trouble(on_screen):
    app = on_screen(lambda screen: screen.press("q"))
    app.on_answered(Answered(app._done, "it is late"))
    app.on_answered(Answered(app._looked, overview()))
    app._update_status()


def test_a_signal_ends_it(on_screen):
    async def told(screen):
        screen.app.told_to_end(143)
        await screen.until(lambda: not screen.app.is_running)

    assert on_screen(told).return_code == 143


def test_on_a_small_terminal_one_list_is_shown_at_a_time(on_screen):
    async def test(screen):
        async def shown():
            await screen.pilot.pause()
            return [pane.name for pane in PANES if screen.app._views[pane.name].display]

        assert await shown() == ["running"]
        await screen.press("tab")
        assert await shown() == ["upcoming"]
        assert screen.rows("upcoming")[0].startswith("night")
        await screen.press("shift+tab", "shift+tab")
        assert await shown() == ["nodes"]
        for size in ((1, 1), (3, 2), (300, 100)):
            await screen.pilot.resize_terminal(*size)
        assert await shown() == [pane.name for pane in PANES]
        assert all(screen.rows("upcoming"))

    on_screen(test, size=(40, 10))


def test_an_empty_store_is_no_trouble(on_screen, node):
    async def test(screen):
        node.remove_all_jobs()
        await screen.until(lambda: not screen.rows("upcoming"))
        for keys in ("1prc", "2rl", "3pcl"):
            await screen.pilot.press(*keys, "enter")
            await screen.pilot.pause()
            assert len(screen.app.screen_stack) == 1

    on_screen(test)


# Queries


@pytest.mark.parametrize("search", [None, "night"])
def test_an_overview_asks_a_bounded_number_of_questions(url, node, search):
    asked = []
    with Admin(url) as admin:
        backend = admin.store._backend
        for part, name in ((backend, "list_runs"), (backend.jobs, "list_jobs")):
            real = getattr(part, name)

            def counted(*args, real=real):
                found = real(*args)
                asked.append(len(found))
                return found

            setattr(part, name, counted)
        overview_of(admin, search=search)
    assert len(asked) <= 9


# The command


def test_the_picture_in_the_documentation_is_of_the_screen_as_it_is(tmp_path):
    made = tmp_path / "top.svg"
    subprocess.run([sys.executable, "scripts/picture_of_top.py", "--to", made], cwd=CHECKOUT, check=True)
    words, kept = (_words(path.read_text()) for path in (made, CHECKOUT / "docs" / "top.svg"))
    assert "rebuild-search-index" in words
    assert words == kept, "make it anew: python scripts/picture_of_top.py"


def _words(svg):
    return html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).split()


def test_it_needs_a_terminal_and_a_sensible_interval(url, node, capsys):
    assert main(["--store", url, "top"]) == 2
    assert "top needs a terminal" in capsys.readouterr().err
    assert main(["--store", url, "top", "--interval", "0s"]) == 2
    assert "it is from 0.2s to 1h" in capsys.readouterr().err
    assert main(["--store", url, "top", "--interval", "soon"]) == 2
    assert "'soon' is no span of time" in capsys.readouterr().err
