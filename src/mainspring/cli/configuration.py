"""``mainspring.toml``: stores, executors, defaults and jobs, checked as a whole before anything is made of them.

Every mistake is said with its place in the file, what was expected there, what came, and the nearest name that there is.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mainspring.cli.times import SPAN
from mainspring.clock import SYSTEM_CLOCK  # noqa: TID251 - what is bound here begins now
from mainspring.coercion import nearest
from mainspring.commands import checked_codes, run_command
from mainspring.definition import OPTIONS
from mainspring.errors import CommandRetryError, ConfigurationError, ConflictingIdError, safe_str
from mainspring.jobstores.by_url import store_for
from mainspring.printable import shown
from mainspring.retry import Retry, class_reference
from mainspring.schedulers.job_factory import JobFactory
from mainspring.schedulers.plugins import BUILT_IN, Plugins
from mainspring.timezones import astimezone, local_timezone
from mainspring.triggers import parse
from mainspring.triggers.parsing import dialect_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mainspring.jobstores.shared.store import SharedJobStore
    from mainspring.model import JobRecord
    from mainspring.schedulers.syncing import SyncPlan
    from mainspring.triggers.base import BaseTrigger

__all__ = ["Configuration", "ConfiguredJob"]

T = TypeVar("T")

_TABLES = ("scheduler", "stores", "executors", "defaults", "jobs")
_SCHEDULER = ("timezone", "shutdown_timeout", "start_timeout", "run_limits", "secret_names", "around_run")
#: Exit codes of commands, by what they mean.
_CODES = ("success_codes", "nothing_to_do_codes", "retry_codes")
#: What a command is given besides its text.
_OF_COMMANDS = (
    "directory",
    "environment",
    "environment_files",
    "inherit_environment",
    "input",
    "shell",
    "user",
    *_CODES,
)
_OF_FUNCTIONS = ("args", "kwargs")
_OF_JOBS = (
    "function",
    "command",
    "schedule",
    "dialect",
    "trigger",
    "timezone",
    "name",
    "store",
    "executor",
    "paused",
)
#: Options of jobs that are spans of time, and may be written as such.
_SPANS = ("timeout", "misfire_grace_time")
COMMAND = f"{run_command.__module__}:{run_command.__name__}"


@dataclass(frozen=True)
class ConfiguredJob:
    """A job of the file.

    Attributes:
        function: a reference.
        trigger: a trigger, or the name of one with its arguments.
        options: further parameters of `add_job`.
    """

    id: str
    function: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    trigger: BaseTrigger | tuple[str, Mapping[str, Any]]
    store: str
    is_paused: bool
    options: Mapping[str, Any] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """What `add_jobs` and `sync` take."""
        name, arguments = self.trigger if isinstance(self.trigger, tuple) else (self.trigger, {})
        paused: dict[str, Any] = {"next_run_time": None} if self.is_paused else {}
        return {
            "id": self.id,
            "func": self.function,
            "args": self.args,
            "kwargs": dict(self.kwargs),
            "trigger": name,
            **paused,
            **self.options,
            **arguments,
        }


def job_of(job_id: str, table: Mapping[str, Any]) -> ConfiguredJob:
    """The job that a table of the file, or a command line, describes.

    Raises:
        ConfigurationError: something in it can't be.
    """
    return Configuration({"jobs": {job_id: dict(table)}}, "the job").jobs[0]


class Configuration:
    """What a file says.

    Args:
        content: as TOML's reader gives it.
        place: the file, for messages.

    Raises:
        ConfigurationError: something in it can't be.
    """

    def __init__(self, content: Mapping[str, Any], place: str = "mainspring.toml") -> None:
        self._place = place
        _check_names(self._at(), content, ("owner", *_TABLES))
        self._owner = content.get("owner")
        if self._owner is not None and not (isinstance(self._owner, str) and self._owner.strip()):
            raise ConfigurationError(f"{place}: owner must be a text, got {shown(self._owner)}")
        #: Whose the jobs are.
        self.owner: str = self._owner or Path(place).name
        self.scheduler = self._table(content, "scheduler")
        _check_names(self._at("scheduler"), self.scheduler, _SCHEDULER)
        self._stores = self._tables(content, "stores")
        self._executors = self._tables(content, "executors")
        self.defaults = self._defaults(self._table(content, "defaults"))
        self.jobs = tuple(self._job(name, job) for name, job in self._tables(content, "jobs").items())

    @classmethod
    def read(cls, path: Path) -> Configuration:
        """What the file at `path` says.

        Raises:
            ConfigurationError: it can't be read, or something in it can't be.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(f"{path} can't be read: {safe_str(error)}") from error
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{path} is not TOML: {error}") from error
        return cls(content, str(path))

    def read_again(self) -> Configuration:
        """What the file says now.

        Raises:
            ConfigurationError: as of `read`.
        """
        return self.read(Path(self._place))

    # Parts

    @property
    def stores_of_jobs(self) -> list[str]:
        """The aliases of the job stores that jobs may be in."""
        return list(self._stores or {"default": {}})

    def default_store(self) -> SharedJobStore:
        """The job store of jobs that name none; in the file ``mainspring.sqlite``, if the configuration has none.

        Raises:
            ConfigurationError: it can't be made.
        """
        return self._store("default", self._store_options()["default"])

    def stores(self) -> dict[str, SharedJobStore]:
        """The job stores by their aliases, made anew.

        Raises:
            ConfigurationError: one can't be made.
        """
        return {alias: self._store(alias, options) for alias, options in self._store_options().items()}

    def _store_options(self) -> dict[str, dict[str, Any]]:
        stores = self._stores or {"default": {"url": "sqlite:///mainspring.sqlite"}}
        if "default" not in stores:
            raise ConfigurationError(
                f"{self._at('stores')}: one must be called default, there are {', '.join(stores)}"
            )
        return stores

    def _store(self, alias: str, options: dict[str, Any]) -> SharedJobStore:
        place, options = self._at("stores", alias), dict(options)
        url = options.pop("url", None)
        if not isinstance(url, str):
            raise ConfigurationError(
                f"{place}: url is missing: the URL of a database, such as 'sqlite:///jobs.sqlite'"
            )
        return _named(place, lambda: store_for(url, **options))

    def executors(self) -> dict[str, Any]:
        """The executors by their aliases, as schedulers take them: their types and options.

        Raises:
            ConfigurationError: one has no type.
        """
        made = {}
        for alias, options in self._executors.items():
            place = self._at("executors", alias)
            if "type" not in options:
                raise ConfigurationError(
                    f"{place}: type is missing: one of {', '.join(BUILT_IN['executors'])}, or a plug-in's"
                )
            made[alias] = dict(options)
        return made

    def sync(
        self, sync: Callable[..., SyncPlan], store: str, *, prune: bool = False, **options: bool
    ) -> SyncPlan:
        """Bring a store in step with the jobs of the file that are to be in it.

        Args:
            sync: of the scheduler, or of an `Admin`.
            store: its alias.

        Raises:
            ConfigurationError: a job can't be added; or jobs are to be removed, and the file doesn't name their owner.
            ConflictingIdError: a job is somebody else's.
        """
        if prune and self._owner is None:
            raise ConfigurationError(
                f'{self._place} names no owner, and to remove what isn\'t in it any more, it has to be known which jobs were: write owner = "…" at its '
                "top, a name that no other file in this store has"
            )
        jobs = [job.parameters() for job in self.jobs if job.store == store]
        try:
            return sync(jobs, owner=self.owner, prune=prune, **options)
        except ConflictingIdError as error:
            raise ConfigurationError(
                f"{self._at('jobs', error.job_id)}: there is a job of this id that is somebody else's (see jobs show): give this one another id, remove "
                "that one, or take it over by mainspring apply --take-over"
            ) from error
        except (TypeError, ValueError, LookupError) as error:
            self._refuse(jobs, error)
            raise

    def check(self, job: ConfiguredJob) -> JobRecord:
        """A job of the file as it would be added, with its function loaded.

        Raises:
            ConfigurationError: it can't be.
        """
        return self._record(job.parameters())

    def _record(self, job: Mapping[str, Any]) -> JobRecord:
        factory = JobFactory(Plugins("triggers"), SYSTEM_CLOCK)
        zone = self.scheduler.get("timezone")
        factory.timezone = local_timezone() if zone is None else astimezone(zone)
        return _named(self._at("jobs", job["id"]), lambda: factory.record(dict(job))[0])

    def _refuse(self, jobs: Sequence[Mapping[str, Any]], error: Exception) -> None:
        """Raise what a job was refused for with its place."""
        for job in jobs:
            try:
                self._record(job)
            except ConfigurationError as found:
                raise found from error

    # Reading

    def _at(self, *path: str) -> str:
        return self._place if not path else f"{self._place}, [{'.'.join(path)}]"

    def _table(self, content: Mapping[str, Any], name: str) -> dict[str, Any]:
        table = content.get(name, {})
        if not isinstance(table, dict):
            raise ConfigurationError(f"{self._at(name)} must be a table, got {shown(table)}")
        return table

    def _tables(self, content: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
        tables = self._table(content, name)
        for key, table in tables.items():
            if not isinstance(table, dict):
                raise ConfigurationError(
                    f"{self._at(name)}: {key} must be a table of its own, [{name}.{key}], got {shown(table)}"
                )
        return tables

    def _defaults(self, table: dict[str, Any]) -> dict[str, Any]:
        place = self._at("defaults")
        _check_names(place, table, OPTIONS)
        return _with_spans(place, table)

    def _job(self, job_id: str, table: dict[str, Any]) -> ConfiguredJob:
        place = self._at("jobs", job_id)
        is_command = "command" in table
        own = (*_OF_JOBS, *(_OF_COMMANDS if is_command else _OF_FUNCTIONS))
        _check_names(place, table, (*own, *OPTIONS))
        if is_command == ("function" in table):
            raise ConfigurationError(
                f"{place}: what is run? Give a function, such as 'myapp.tasks:clean', or a command; one of them"
            )
        function, args, kwargs = self._command(place, table) if is_command else self._function(place, table)
        store = table.get("store", "default")
        if store != "default" and store not in self._stores:
            raise ConfigurationError(f"{place}: {_unknown('store', store, self._stores)}")
        options = {"name": job_id, **{name: value for name, value in table.items() if name in OPTIONS}}
        for name in ("name", "executor"):
            if name in table:
                options[name] = table[name]
        if "retry_codes" in table:
            options["retry"] = _named(place, lambda: _retry_after_codes(table["retry"]))
        trigger = self._trigger(job_id, place, table)
        return ConfiguredJob(
            job_id,
            function,
            args,
            kwargs,
            trigger,
            store,
            bool(table.get("paused", False)),
            _with_spans(place, options),
        )

    def _function(self, place: str, table: dict[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        function, args, kwargs = table["function"], table.get("args", []), table.get("kwargs", {})
        if not isinstance(function, str) or ":" not in function:
            raise ConfigurationError(
                f"{place}: function must be 'package.module:name', got {shown(function)}"
            )
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            raise ConfigurationError(f"{place}: args must be a list, and kwargs a table")
        return function, tuple(args), kwargs

    def _command(self, place: str, table: dict[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        command = table["command"]
        is_list = isinstance(command, list) and command and all(isinstance(part, str) for part in command)
        if not is_list and not (isinstance(command, str) and command.strip()):
            raise ConfigurationError(
                f"{place}: command must be a text for the shell, or a list of a program and its arguments, got {shown(command)}"
            )
        for name in _CODES:
            if name in table:
                _named(place, lambda: checked_codes(name, table[name]))  # noqa: B023 - called at once
        if "retry_codes" in table and "retry" not in table:
            raise ConfigurationError(
                f"{place}: retry_codes says after which exit codes it is tried again, and retry how often: give it, too"
            )
        return COMMAND, (command,), {name: table[name] for name in _OF_COMMANDS if name in table}

    def _trigger(
        self, job_id: str, place: str, table: dict[str, Any]
    ) -> BaseTrigger | tuple[str, Mapping[str, Any]]:
        if ("schedule" in table) == ("trigger" in table):
            raise ConfigurationError(
                f"{place}: when is it run? Give a schedule, such as '30 9 * * mon-fri' or 'every 15 minutes', or a trigger; one of them"
            )
        zone = _named(place, lambda: astimezone(table["timezone"])) if "timezone" in table else None
        if "schedule" in table:
            dialect = _named(place, lambda: dialect_name(table["dialect"])) if "dialect" in table else None
            trigger = _named(place, lambda: _schedule(table["schedule"], dialect))
            now = SYSTEM_CLOCK.now()
            return trigger if zone is None else trigger.bind(timezone=zone, now=now, job_id=job_id)
        arguments = table["trigger"]
        if not isinstance(arguments, dict) or not isinstance(arguments.get("type"), str):
            raise ConfigurationError(
                f"{place}: trigger must be a table with a type, such as {{ type = 'interval', minutes = 5 }}, got {shown(arguments)}"
            )
        arguments = {**arguments, **({} if zone is None else {"timezone": zone})}
        return arguments.pop("type"), arguments


def _schedule(schedule: Any, dialect: str | None) -> BaseTrigger:
    return _parsed(schedule, dialect) if isinstance(schedule, str) else parse(schedule, dialect)


@lru_cache(maxsize=10_000)
def _parsed(schedule: str, dialect: str | None) -> BaseTrigger:
    """A schedule that many jobs may have, which each binds for itself."""
    return parse(schedule, dialect)


def _retry_after_codes(value: Any) -> dict[str, Any]:
    """How a command is tried again that says by its exit code whether it is to be."""
    retry = Retry.of(value).to_dict()
    return retry if retry["on"] else {**retry, "on": [class_reference(CommandRetryError)]}


def _with_spans(place: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options in which spans of time that are written as text are durations."""
    found = dict(options)
    for name in _SPANS:
        if isinstance(found.get(name), str):
            try:
                found[name] = SPAN.convert(found[name], None, None)
            except click.BadParameter as error:
                raise ConfigurationError(f"{place}: {name}: {error.message}") from None
    return found


def _named(place: str, work: Callable[[], T]) -> T:
    """What `work` returns; what it raises names the place."""
    try:
        return work()
    except (TypeError, ValueError, LookupError, ConfigurationError) as error:
        raise ConfigurationError(f"{place}: {safe_str(error)}") from error


def _check_names(place: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    for name in table:
        if name not in known:
            raise ConfigurationError(f"{place}: {_unknown('key', name, known)}")


def _unknown(kind: str, name: Any, known: Iterable[str]) -> str:
    candidate = nearest(str(name), known)
    hint = f"did you mean {candidate!r}? " if candidate else ""
    return f"there is no {kind} {name!r}: {hint}There are {', '.join(sorted(set(known)))}"
