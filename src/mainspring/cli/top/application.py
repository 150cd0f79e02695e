"""The screen as a whole: what it asks the store, and what its keys do."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Footer, Static

from mainspring.admin.overview import Overview, overview_of
from mainspring.cli.exits import INTERRUPTED
from mainspring.cli.output import time_text
from mainspring.cli.top.details import Details, details_of
from mainspring.cli.top.dialogs import Dialog
from mainspring.cli.top.panes import PANES, summary
from mainspring.cli.top.status import Status
from mainspring.cli.top.store_thread import NotBegunError
from mainspring.cli.top.table import PaneView
from mainspring.errors import safe_str
from mainspring.masking import without_secrets
from mainspring.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from mainspring.admin import Admin, RunView
    from mainspring.cli.top.panes import Row
    from mainspring.cli.top.store_thread import StoreThread
    from mainspring.clock import Clock

__all__ = ["Top"]

#: What is to be done is done within so many seconds, or not at all.
_ACT_WITHIN_SECONDS = 10.0
#: A store that needs a second for an answer is left alone for so many: to be looked at isn't its work.
_SHARE = 4
#: For so long it is said what became of it.
_SAID_SECONDS = 10.0


class Answered(Message):
    """The store has answered."""

    def __init__(self, then: Callable[[Any], None], found: object) -> None:
        super().__init__()
        self.then = then
        self.found = found


class Top(App[None]):
    """What goes on on a store.

    Args:
        store: is asked.
        name: of the store, as it is shown.
        zone: in which times are shown.
        interval: seconds between an answer and the next question.
        clock: for how long an answer is waited for.
        trouble: says at once, without asking the store, what is known to be wrong with it.
    """

    ENABLE_COMMAND_PALETTE = False
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 - typed so in `App`
    CSS = """
    #title { height: 1; }
    #summary { height: auto; max-height: 2; }
    #title { text-style: bold; }
    #panes { height: 1fr; }
    #running { height: 7fr; }
    #upcoming { height: 6fr; }
    #failed { height: 4fr; }
    #nodes { height: 3fr; }
    .-short #panes > PaneView { display: none; height: 1fr; }
    .-short #panes > PaneView.-active { display: block; }
    #status { height: auto; max-height: 3; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause"),
        Binding("r", "run_now", "Run now"),
        Binding("c", "cancel", "Cancel"),
        Binding("l,enter", "details", "Log", key_display="l"),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("tab", "next_pane(1)", "Pane", key_display="Tab", priority=True),
        Binding("shift+tab", "next_pane(-1)", show=False, priority=True),
        *(Binding(str(number), f"pane('{pane.name}')", show=False) for number, pane in enumerate(PANES, 1)),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+q", "leave(0)", show=False, priority=True),
        Binding("ctrl+c", f"leave({INTERRUPTED})", show=False, priority=True),
    ]

    def __init__(
        self,
        store: StoreThread,
        *,
        name: str,
        zone: tzinfo,
        interval: float,
        clock: Clock,
        trouble: Callable[[], str | None] = lambda: None,
    ) -> None:
        # The terminal's own colours, said before the theme is set: NO_COLOR is obeyed by what is known here, and would make all of it black otherwise.
        super().__init__(ansi_color=True)
        self._store = store
        self._store_name = printable(name)
        self._zone = zone
        self._interval = self._pause = interval
        self._clock = clock
        self._overview: Overview | None = None
        self._known_trouble = trouble
        self._trouble: str | None = None
        self._asked_at: float | None = None
        self._asks_again = False
        self._timer: Timer | None = None
        self._said: tuple[str, float] | None = None
        self._search: str | None = None
        self._active = PANES[0].name
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._told: int | None = None

    # The screen

    def compose(self) -> ComposeResult:
        """Put it together."""
        yield Static(id="title", markup=False)
        yield Static(id="summary", markup=False)
        with Vertical(id="panes"):
            yield from map(PaneView, PANES)
        yield Static(id="status", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to ask."""
        self.theme = "ansi-dark"
        self._event_loop = asyncio.get_running_loop()
        if self._told is not None:
            self.exit(return_code=self._told)
        self.query_one("#title", Static).update(
            Text(f"mainspring top · {self._store_name}", no_wrap=True, overflow="ellipsis")
        )
        self._views = {pane.name: self.query_one(f"#{pane.name}", PaneView) for pane in PANES}
        self.action_pane(self._active)
        # After Ctrl-Z and fg, what hasn't changed would not be drawn.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.set_interval(1, self._update_status)
        self._look()

    def told_to_end(self, code: int) -> None:
        """End it, from a handler of signals or another thread."""
        self._told = code
        if self._event_loop is not None:
            self._event_loop.call_soon_threadsafe(partial(self.exit, return_code=code))

    def on_answered(self, message: Answered) -> None:
        """Go on with an answer, here and not on the thread that asked; not when the screen is being taken down, with nothing left to show it on."""
        if self.is_running:
            message.then(message.found)

    def _ask(
        self,
        question: Callable[[Admin], Any],
        then: Callable[[Any], None],
        *,
        seconds: float | None = None,
    ) -> None:
        def answered(found: object) -> None:
            self.post_message(Answered(then, found))

        self._store.ask(question, answered, seconds=seconds)

    # What goes on

    def _look(self) -> None:
        """Ask what goes on; at once again, if it is being asked."""
        if self._asked_at is not None:
            self._asks_again = True
            return
        if self._timer is not None:
            self._timer.stop()
        self._asks_again = False
        self._asked_at = self._clock.monotonic()
        self._ask(partial(overview_of, search=self._search), self._looked)

    def _looked(self, found: Overview | Exception) -> None:
        took = 0.0 if self._asked_at is None else self._clock.monotonic() - self._asked_at
        self._pause = max(self._interval, took * _SHARE)
        self._asked_at = None
        if isinstance(found, Exception):
            self._trouble = _words(found)
        else:
            self._overview, self._trouble = found, None
            self._show(found)
        self._update_status()
        if self._asks_again:
            self._look()
        else:
            self._timer = self.set_timer(self._pause, self._look)

    def _show(self, overview: Overview) -> None:
        self.query_one("#summary", Static).update(Text(printable(summary(overview))))
        for pane in PANES:
            self._views[pane.name].show(pane.rows(overview), pane.number(overview))
        if isinstance(self.screen, Details):
            self._ask_details(self.screen)

    def _update_status(self) -> None:
        if not self.is_running:
            return
        if self._said is not None and self._clock.monotonic() > self._said[1]:
            self._said = None
        status = Status(
            None if self._overview is None else self._overview.time,
            self._trouble,
            None if self._asked_at is None else self._known_trouble(),
            0.0 if self._asked_at is None else self._clock.monotonic() - self._asked_at,
            None if self._said is None else self._said[0],
            self._search,
            self._interval,
            self._pause,
        )
        style = "bold yellow" if status.is_trouble else "dim" if self._said is None else "bold"
        # Of the screen below, whatever is above it.
        self.screen_stack[0].query_one("#status", Static).update(Text(printable(status.text()), style=style))

    def _say(self, text: str) -> None:
        self._said = (text, self._clock.monotonic() + _SAID_SECONDS)
        self._update_status()

    # The keys

    @property
    def _chosen(self) -> Row | None:
        return self._views[self._active].chosen

    def action_pane(self, name: str) -> None:
        """Have the keys be about a pane."""
        self._active = name
        for view in self._views.values():
            view.activate(is_active=view.pane.name == name)

    def action_next_pane(self, step: int) -> None:
        """Go to the next pane, or the one before."""
        names = [pane.name for pane in PANES]
        self.action_pane(names[(names.index(self._active) + step) % len(names)])

    def action_leave(self, code: int) -> None:
        """End it."""
        self.exit(return_code=code)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does something: those of the panes don't, where another screen is above them."""
        del parameters
        return action in ("leave", "suspend_process") or len(self.screen_stack) == 1

    def action_find(self) -> None:
        """Ask for a text, and show only what has it."""

        def found(text: str | None) -> None:
            if text is None:
                return
            self._search = text or None
            self._look()

        keys = "Enter: show only those; an empty line: all   Esc: as before"
        self.push_screen(Dialog("Find", "Text in the id, name or function:", keys, self._search or ""), found)

    def action_details(self) -> None:
        """Show all of the job or run that is chosen."""
        row = self._chosen
        if row is None or row.job_id is None:
            self._say("There is no job or run on this line.")
            return
        details = Details(row, self._zone)
        self.push_screen(details)
        self._ask_details(details)

    def on_data_table_row_selected(self) -> None:
        """Enter, which the table has for itself."""
        self.action_details()

    def _ask_details(self, details: Details) -> None:
        def answered(found: Any) -> None:
            if details not in self.screen_stack:
                return
            if isinstance(found, Exception):
                details.fail(_words(found))
            else:
                details.show(found)

        self._ask(partial(details_of, row=details.row), answered)

    def action_pause(self) -> None:
        """Pause the job that is chosen, or resume it."""
        row = self._chosen
        if row is None or row.job_id is None:
            self._say("There is no job on this line.")
            return
        job_id = row.job_id
        if self._state_of(row) == "paused":
            self._confirm("Resume", job_id, lambda admin, _: _resumed(admin, job_id))
        else:
            self._confirm("Pause", job_id, lambda admin, why: _paused(admin, job_id, why))

    def _state_of(self, row: Row) -> str:
        """The state of the job that a row is about, as far as it is on the screen."""
        if row.run_id is None:
            return row.state
        upcoming = () if self._overview is None else self._overview.upcoming
        return next((job.state for job in upcoming if job.id == row.job_id), "scheduled")

    def action_run_now(self) -> None:
        """Have the job that is chosen run once more; or a run that has failed."""
        row = self._chosen
        if row is None or row.job_id is None:
            self._say("There is no job on this line.")
            return
        job_id, run_id = row.job_id, row.run_id
        if run_id is not None and row.state not in ("running", "queued"):
            meaning = "do it once more, as of the same due time"
            self._confirm("Retry", run_id, lambda admin, _: _retried(admin, run_id), meaning)
            return
        self._confirm("Run", job_id, lambda admin, _: _asked_to_run(admin, job_id), "run it once more now")

    def action_cancel(self) -> None:
        """End the run that is chosen."""
        row = self._chosen
        if row is None or row.run_id is None:
            self._say("Only runs can be cancelled: choose one that runs.")
            return
        if row.state not in ("running", "queued"):
            self._say(f"{row.run_id} has ended.")
            return
        run_id = row.run_id
        self._confirm("Cancel", run_id, lambda admin, _: _cancelled(admin, run_id))

    def _confirm(
        self, verb: str, name: str, action: Callable[[Admin, str | None], str], meaning: str | None = None
    ) -> None:
        """Ask whether something is to be done and why, and have it done."""

        def decided(why: str | None) -> None:
            if why is None:
                self._say("Nothing was done.")
                return
            self._say(f"{verb} {name}: the store is asked …")
            question = partial(_noted, action=action, why=why or None)
            self._ask(question, self._done, seconds=_ACT_WITHIN_SECONDS)

        keys = f"Enter: {meaning or f'{verb.lower()} it'}   Esc: leave it"
        self.push_screen(Dialog(f"{verb} {name}?", "Why (may be left empty):", keys), decided)

    def _done(self, found: str | Exception) -> None:
        if isinstance(found, NotBegunError):
            self._say(f"Not done: the store couldn't be asked within {_ACT_WITHIN_SECONDS:.0f} s. Try again.")
        elif isinstance(found, Exception):
            self._say(f"It failed: {_words(found)}")
        else:
            self._say(found)
        self._look()


def _words(error: Exception) -> str:
    return printable(without_secrets(safe_str(error)).strip().partition("\n")[0])


def _noted(admin: Admin, action: Callable[[Admin, str | None], str], why: str | None) -> str:
    """Do something, and have the reason noted with it."""
    with admin.on_behalf_of(why=why):
        return action(admin, why)


def _paused(admin: Admin, job_id: str, why: str | None) -> str:
    admin.pause_job(job_id, note=why)
    return f"{job_id} is paused."


def _resumed(admin: Admin, job_id: str) -> str:
    job = admin.resume_job(job_id)
    if job is None:
        return f"{job_id} has no time left in its schedule, and was removed."
    return f"{job_id} runs next at {time_text(job.next_run_time, admin.timezone)}."


def _asked_to_run(admin: Admin, job_id: str) -> str:
    run: RunView = admin.run_job(job_id)
    return f"{run.id} is {run.state}."


def _retried(admin: Admin, run_id: str) -> str:
    run: RunView = admin.retry_run(run_id)
    return f"{run.id} is {run.state}."


def _cancelled(admin: Admin, run_id: str) -> str:
    admin.cancel_run(run_id)
    return f"{run_id} is cancelled, or told to end."
