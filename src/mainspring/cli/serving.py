"""``mainspring run``: a scheduler without a program."""

from __future__ import annotations

import logging
import signal
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from mainspring.cli.configuration import COMMAND, Configuration
from mainspring.cli.endpoints import ADDRESS, health_routes, lives, metrics_route, served
from mainspring.cli.examples import Command
from mainspring.cli.logs import FORMS, written_logs
from mainspring.cli.service_manager import notify, watched
from mainspring.cli.target import USUAL_FILE, USUAL_STORE
from mainspring.clock import REAL_CLOCK  # noqa: TID251 - what the service manager is told
from mainspring.errors import ConfigurationError, safe_str
from mainspring.events import EVENT_SCHEDULER_START
from mainspring.jobstores.shared.row_locks import trusting_commands
from mainspring.masking import without_secrets
from mainspring.printable import printable, shown
from mainspring.references import ref_to_obj
from mainspring.schedulers.base import BaseScheduler
from mainspring.schedulers.blocking import BlockingScheduler
from mainspring.schedulers.job_texts import schedule_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mainspring.cli.endpoints import Answer
    from mainspring.cli.target import Target
    from mainspring.events import SchedulerEvent
    from mainspring.jobstores.shared.store import SharedJobStore
    from mainspring.model import JobRecord

_log = logging.getLogger("mainspring.cli")

#: SIGTERM's number and what shells add to it.
_BY_SIGTERM = 143


@click.command(
    "run",
    cls=Command,
    examples=(
        "mainspring run",
        "mainspring run jobs.toml --check",
        "mainspring run myapp.scheduling:scheduler",
        "mainspring --store jobs.sqlite run --health 8080 --metrics 8080",
    ),
)
@click.argument("what", metavar="[FILE|MODULE:SCHEDULER]", required=False)
@click.option(
    "--shutdown-timeout",
    type=click.FloatRange(0),
    default=25.0,
    show_default=True,
    help="Seconds that running jobs may take to end when it is told to stop.",
)
@click.option("--check", is_flag=True, help="Load each function, say what would be run, and run nothing.")
@click.option(
    "--log-format",
    type=click.Choice(FORMS),
    default="auto",
    show_default=True,
    help="How the log is written, to standard error; auto is colour on a terminal, and plain elsewhere, or as NO_COLOR and FORCE_COLOR say.",
)
@click.option("--health", type=ADDRESS, help="Answer /healthz and /readyz there.")
@click.option("--metrics", type=ADDRESS, help="Answer /metrics there, for Prometheus.")
@click.option("--verbose", "-v", is_flag=True, help="Log all that is done.")
@click.pass_obj
def run_scheduler(
    target: Target,
    what: str | None,
    shutdown_timeout: float,
    check: bool,
    log_format: str,
    health: tuple[str, int] | None,
    metrics: tuple[str, int] | None,
    verbose: bool,
) -> None:
    """Run a scheduler: the jobs of a file, mainspring.toml by default; those of a store; or a scheduler of a program.

    SIGTERM and Ctrl-C let what runs end, and give back what hasn't begun; a second one ends at once. SIGHUP has the file read again.
    """
    if what is not None and ":" in what and not Path(what).exists():
        scheduler, configuration, stores = _of_program(what), None, {}
    else:
        configuration = _configuration(target, what)
        stores = target.stores_of(configuration)
        scheduler = _made(target, configuration, stores)
    if check:
        _check(configuration)
        return
    scheduler.configure(shutdown_timeout=shutdown_timeout)
    with ExitStack() as around:
        around.enter_context(written_logs(log_format, verbose=verbose))
        for address, routes in _endpoints(scheduler, health, metrics).items():
            around.enter_context(served(address, routes))
        around.enter_context(watched(lambda: lives(scheduler.health())))
        if configuration is None:
            scheduler.add_listener(lambda _: notify("READY=1"), EVENT_SCHEDULER_START)
            _run(scheduler)
            return
        keeper = Keeper(scheduler, configuration, stores)
        scheduler.add_listener(keeper.started, EVENT_SCHEDULER_START)
        around.enter_context(_on_hangup(keeper.reload))
        _run(scheduler, paused=True)
        if keeper.error is not None:
            raise keeper.error


def _endpoints(
    scheduler: BlockingScheduler, health: tuple[str, int] | None, metrics: tuple[str, int] | None
) -> dict[tuple[str, int], dict[str, Callable[[], Answer]]]:
    """What is answered where; at one address both, if they are the same."""
    found: dict[tuple[str, int], dict[str, Callable[[], Answer]]] = {}
    if health is not None:
        found.setdefault(health, {}).update(health_routes(scheduler))
    if metrics is not None:
        found.setdefault(metrics, {}).update(metrics_route(scheduler))
    return found


def _run(scheduler: BlockingScheduler, **options: bool) -> None:
    """Run to the end. To be told to stop, and to have stopped in order, is no failure."""
    try:
        scheduler.start(**options)
    except KeyboardInterrupt:
        return
    except SystemExit as end:
        if end.code != _BY_SIGTERM:
            raise


class Keeper:
    """Keeps a scheduler's jobs in step with a file: when it has started, before anything is run, and whenever it is told that the file has changed.

    Attributes:
        error: why it could not be started.
    """

    error: Exception | None = None

    def __init__(
        self,
        scheduler: BlockingScheduler,
        configuration: Configuration,
        stores: Mapping[str, SharedJobStore],
    ) -> None:
        self._scheduler = scheduler
        self._configuration = configuration
        self._stores = stores

    def started(self, event: SchedulerEvent) -> None:
        """Bring the jobs in step, and begin to run them; or give up."""
        del event
        try:
            self._sync(self._configuration)
        except Exception as error:  # noqa: BLE001 - raised where the scheduler was started
            self.error = error
            self._scheduler.shutdown(wait=False)
        else:
            self._scheduler.resume()
            notify("READY=1")

    def reload(self) -> None:
        """Read the file again, and bring the jobs in step; a mistake in it is logged, and what was before goes on."""
        notify("RELOADING=1", f"MONOTONIC_USEC={REAL_CLOCK.monotonic() * 1_000_000:.0f}")
        try:
            self._sync(self._configuration.read_again())
        except Exception as error:  # noqa: BLE001 - logged
            _log.error("The file is not taken over, and what was before goes on: %s", safe_str(error))
        finally:
            notify("READY=1")

    def _sync(self, configuration: Configuration) -> None:
        commands, before = _commands_of(configuration), _commands_of(self._configuration)
        try:
            for store in self._stores.values():
                store.trust_commands(
                    [*before, *commands]
                )  # what begins meanwhile is of the one file or the other
            with trusting_commands():
                for alias in configuration.stores_of_jobs:
                    configuration.sync(partial(self._scheduler.sync, jobstore=alias), alias)
        except BaseException:
            commands = before
            raise
        else:
            self._configuration = configuration
        finally:
            for store in self._stores.values():
                store.trust_commands(commands)


def _commands_of(configuration: Configuration) -> list[JobRecord]:
    """The jobs of a file that run commands."""
    return [configuration.check(job) for job in configuration.jobs if job.function == COMMAND]


@contextmanager
def _on_hangup(work: Callable[[], None]) -> Iterator[None]:
    """Have `work` done, on a thread of its own, once for each SIGHUP and one after the other; where there is such a signal."""
    number = getattr(signal, "SIGHUP", None)
    if number is None:
        yield
        return
    # A handler comes into the middle of anything, also of the start of a thread, which has a lock: it only puts down that it was called.
    asked: SimpleQueue[bool] = SimpleQueue()

    def serve() -> None:
        while asked.get():
            work()

    Thread(target=serve, name="mainspring-reload", daemon=True).start()
    before = signal.signal(number, lambda *_: asked.put(True))
    try:
        yield
    finally:
        signal.signal(number, before)
        asked.put(False)


def _of_program(reference: str) -> BlockingScheduler:
    found = ref_to_obj(reference)
    if isinstance(found, BlockingScheduler):
        return found
    if isinstance(found, BaseScheduler):
        raise click.UsageError(
            f"{reference} is a {type(found).__name__}, whose start() doesn't run it to its end: give a BlockingScheduler"
        )
    raise click.UsageError(f"{reference} is no scheduler: it is of the type {type(found).__name__}")


def _configuration(target: Target, path: str | None) -> Configuration:
    if path is not None:
        return Configuration.read(Path(path))
    if USUAL_FILE.exists():
        return Configuration.read(USUAL_FILE)
    if target.store is None:
        click.echo(f"There is no {USUAL_FILE} here: the jobs of {USUAL_STORE} are run.", err=True)
    return Configuration({}, "no file")


def _made(
    target: Target, configuration: Configuration, stores: Mapping[str, SharedJobStore]
) -> BlockingScheduler:
    options: dict[str, Any] = dict(configuration.scheduler)
    if target.timezone is not None:
        options["timezone"] = target.timezone
    return BlockingScheduler(
        jobstores=dict(stores),
        executors=configuration.executors(),
        job_defaults=configuration.defaults,
        **options,
    )


def _check(configuration: Configuration | None) -> None:
    """Load each function of a file, and say of all those that can't be used why.

    Raises:
        ConfigurationError: there are such.
    """
    wrong = 0
    jobs = () if configuration is None else configuration.jobs
    for job in jobs:
        try:
            record = configuration.check(job)  # type: ignore[union-attr]  # where it has jobs
        except ConfigurationError as error:
            wrong += 1
            click.echo(f"Error: {without_secrets(safe_str(error))}", err=True)
        else:
            what = shown(job.args[0]) if job.function == COMMAND else job.function
            click.echo(f"{printable(job.id)}: {what} {schedule_text(record)}")
    if wrong:
        raise ConfigurationError(f"{wrong} of {len(jobs)} jobs can't be run")
    click.echo(f"{len(jobs)} jobs, nothing is wrong with them.")
