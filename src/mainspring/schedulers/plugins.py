"""Triggers, executors and job stores by their short names.

The built-in names are a table here, so that they work from a zip file, a frozen program or a source tree, where no
metadata is installed. Third parties' names are entry points of the groups ``mainspring.*`` and ``apscheduler.*``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib.metadata import entry_points
from typing import Any

from mainspring.coercion import NamesParameters, unknown_name
from mainspring.errors import ConfigurationError
from mainspring.masking import masked
from mainspring.references import ref_to_obj

BUILT_IN: dict[str, dict[str, str]] = {
    "triggers": {
        "date": "mainspring.triggers.date:DateTrigger",
        "interval": "mainspring.triggers.interval:IntervalTrigger",
        "cron": "mainspring.triggers.cron:CronTrigger",
        "calendarinterval": "mainspring.triggers.calendarinterval:CalendarIntervalTrigger",
        "business_day": "mainspring.triggers.business_day:BusinessDayTrigger",
        "rrule": "mainspring.triggers.recurrence:RecurrenceTrigger",
        "weekly": "mainspring.triggers.weekly:WeeklyTrigger",
        "sun": "mainspring.triggers.sun:SunTrigger",
        "and": "mainspring.triggers.combining:AndTrigger",
        "or": "mainspring.triggers.combining:OrTrigger",
    },
    "executors": {
        "asyncio": "mainspring.executors.asyncio:AsyncIOExecutor",
        "gevent": "mainspring.executors.gevent:GeventExecutor",
        "tornado": "mainspring.executors.tornado:TornadoExecutor",
        "twisted": "mainspring.executors.twisted:TwistedExecutor",
        "qt": "mainspring.executors.qt:QtExecutor",
        "debug": "mainspring.executors.debug:DebugExecutor",
        "threadpool": "mainspring.executors.pool:ThreadPoolExecutor",
        "processpool": "mainspring.executors.pool:ProcessPoolExecutor",
    },
    "jobstores": {
        "memory": "mainspring.jobstores.memory:MemoryJobStore",
        "sqlalchemy": "mainspring.jobstores.sqlalchemy:SQLAlchemyJobStore",
        "mongodb": "mainspring.jobstores.mongodb:MongoDBJobStore",
        "redis": "mainspring.jobstores.redis:RedisJobStore",
    },
}


class Plugins(MutableMapping[str, Any]):
    """The names of one kind of part, each with its class, an entry point, or a text reference to the class.

    Args:
        kind: a key of `BUILT_IN`.
        known: by name, what is behind it; what is built in, if it isn't given.

    Attributes:
        loaded: by name, the classes that were found and checked; what a program puts there is taken first.
    """

    def __init__(self, kind: str, known: Mapping[str, Any] | None = None) -> None:
        self._kind = kind
        self._known: dict[str, Any] = dict(BUILT_IN[kind] if known is None else known)
        self._has_entry_points = False
        self.loaded: dict[str, Any] = {}

    def copied(self) -> Plugins:
        """The same names for one scheduler, which may add its own."""
        copy = Plugins(self._kind, self._known)
        copy.loaded = dict(self.loaded)
        return copy

    def replace(self, known: Mapping[str, Any]) -> None:
        """Know these names, and no others."""
        self._known = dict(known)
        self._has_entry_points = True
        self.loaded.clear()

    def _read_entry_points(self) -> None:
        # Not at import: reading the metadata of everything installed takes longer than starting a scheduler.
        if not self._has_entry_points:
            self._has_entry_points = True
            for group in ("apscheduler", "mainspring"):
                for point in entry_points(group=f"{group}.{self._kind}"):
                    # APScheduler itself offers the built-in names too, for classes that don't belong here.
                    if not point.value.startswith("apscheduler.") and point.name not in BUILT_IN[self._kind]:
                        self._known[point.name] = point

    def load(self, name: str) -> Any:
        """The class behind `name`.

        Raises:
            LookupError: nothing has that name; the message names the nearest that exists.
        """
        if name in self.loaded:
            return self.loaded[name]
        if name not in self._known:
            self._read_entry_points()
        try:
            found = self._known[name]
        except KeyError:
            singular = self._kind.removesuffix("s")
            raise LookupError(
                f"No {singular} by the name {name!r} was found: {unknown_name(singular, name, self)}"
            ) from None
        if isinstance(found, str):
            found = self._known[name] = ref_to_obj(found)
        elif not isinstance(found, type) and hasattr(found, "load"):  # an entry point, or a program's own
            found = self._known[name] = found.load()
        return found

    def create(self, name: str, base: type, arguments: dict[str, Any]) -> Any:
        """An instance of the class behind `name`, which must be a `base`.

        Raises:
            LookupError: nothing has that name.
            TypeError: what has it is no `base`, or doesn't take the arguments.
        """
        plugin = self.loaded.get(name) or self._check(name, base)
        return plugin.made_of(arguments) if isinstance(plugin, NamesParameters) else plugin(**arguments)

    def _check(self, name: str, base: type) -> Any:
        plugin = self.load(name)
        if not (isinstance(plugin, type) and issubclass(plugin, base)):
            raise TypeError(
                f"{self._kind.removesuffix('s')} {name!r} is {plugin!r}, which is not a {base.__name__}"
            )
        self.loaded[name] = plugin
        return plugin

    def __getitem__(self, name: str) -> Any:
        self._read_entry_points()
        return self._known[name]

    def __setitem__(self, name: str, plugin: Any) -> None:
        self._known[name] = plugin
        self.loaded.pop(name, None)

    def __delitem__(self, name: str) -> None:
        del self._known[name]
        self.loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        self._read_entry_points()
        return iter(self._known)

    def __len__(self) -> int:
        self._read_entry_points()
        return len(self._known)


#: What all schedulers know that are made from now on: ``BaseScheduler._trigger_plugins`` and the like.
OF_ALL_SCHEDULERS = {kind: Plugins(kind) for kind in BUILT_IN}


def _usual(base: type) -> str:
    return (
        "'threadpool', 'max_workers': 20"
        if base.__name__ == "BaseExecutor"
        else "'sqlalchemy', 'url': 'sqlite:///jobs.sqlite'"
    )


def instead_of_instance(value: Any) -> str:
    """What came in the place of an instance, and what to write if that was its class."""
    if isinstance(value, type):
        return f"the class {value.__name__}: make one, {value.__name__}(…)"
    return f"{type(value).__name__} {masked(value)!r}"


def part_from(value: Any, what: str, plugins: Plugins, base: type) -> Any:
    """An executor or job store from what a configuration says of it: an instance, or a dict with ``type`` or ``class``.

    The dict is not changed.

    Raises:
        ConfigurationError: it says neither, or both.
        TypeError: it is of another kind.
    """
    if isinstance(value, base):
        return value
    if not isinstance(value, dict):
        raise TypeError(
            f"expected an instance of {base.__name__} or a dict for {what}, such as {{'type': {_usual(base)}}}, "
            f"got {instead_of_instance(value)}"
        )
    arguments = dict(value)
    name = arguments.pop("type", None)
    reference = arguments.pop("class", None)
    if (name is None) == (reference is None):
        raise ConfigurationError(
            f"{what} must say either 'type' (a name such as {next(iter(plugins))!r}) or 'class' "
            f"('package.module:Class'), got {masked(value)!r}"
        )
    if name is not None:
        return plugins.create(name, base, arguments)
    made = (ref_to_obj(reference) if isinstance(reference, str) else reference)(**arguments)
    if not isinstance(made, base):
        raise TypeError(f"{what}: {reference!r} made a {type(made).__name__}, which is not a {base.__name__}")
    return made
