"""The import system's part of the alias: who is asked for ``apscheduler…``, and what is answered.

mainspring's modules are handed out as they are. They keep their own ``__name__`` and ``__spec__``, whichever name they
are imported by first, so that reloading, pickling and `importlib.resources` go on working.
"""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.metadata import Distribution, DistributionFinder
    from types import ModuleType

_ALIAS = "apscheduler"
_OWN = "mainspring"

#: The modules of APScheduler 3.11.3 that stand on a library of somebody else's. mainspring may not have each of them.
_ADAPTERS = {
    f"{package}.{name}"
    for package, names in {
        "jobstores": "etcd mongodb redis rethinkdb sqlalchemy zookeeper",
        "schedulers": "asyncio gevent qt tornado twisted",
        "executors": "asyncio gevent tornado twisted",
    }.items()
    for name in names.split()
}


def belongs_to_alias(name: str) -> bool:
    """Whether `name` is that of APScheduler's package or of a module in it."""
    return name == _ALIAS or name.startswith(f"{_ALIAS}.")


class AliasFinder(MetaPathFinder):
    """Finds ``apscheduler`` and all below it; stands first, so that an installed APScheduler isn't looked at."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's interface
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's interface
    ) -> ModuleSpec | None:
        """Where to load `fullname` from; ``None`` for what is not APScheduler's.

        Raises:
            ModuleNotFoundError: it is APScheduler's, and mainspring has no such module.
        """
        if not belongs_to_alias(fullname):
            return None
        own_name = _OWN + fullname.removeprefix(_ALIAS)
        own = find_spec(own_name)
        if own is None:
            # Going on to the next finder would mean a second copy of a module, found by the path of our package.
            raise _no_such_module(own_name)
        return ModuleSpec(
            fullname,
            _AliasLoader(own_name),
            origin=own.origin,
            is_package=own.submodule_search_locations is not None,
        )


class _AliasLoader(Loader):
    """Loads a module of ours under APScheduler's name.

    importlib writes the spec of what it loads into the module that `create_module` gives it. So it is given an empty
    one, which makes place for ours when it is executed; modules are allowed to do that.
    """

    def __init__(self, own_name: str) -> None:
        self._own_name = own_name

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to importlib."""

    def exec_module(self, module: ModuleType) -> None:
        """Put mainspring's module in the place of `module`."""
        spec = module.__spec__
        assert spec is not None  # noqa: S101 - importlib has just set it
        sys.modules[spec.name] = import_module(self._own_name)


class LastFinder(MetaPathFinder):
    """Stands last: it is asked for what nobody has found."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's interface
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's interface
    ) -> None:
        """Find nothing, but say what a module is that APScheduler has and mainspring has not.

        ``from apscheduler.jobstores import zookeeper`` becomes an import of ``mainspring.jobstores.zookeeper``, because
        that is the name of the package it is imported from.

        Raises:
            ModuleNotFoundError: `fullname` is the name of such a module.
        """
        if fullname.removeprefix(f"{_OWN}.") in _ADAPTERS:
            raise _no_such_module(fullname)

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterable[Distribution]:
        """APScheduler's metadata, if it is asked for by name and not installed."""
        from importlib.metadata import DistributionFinder

        from mainspring.alias.metadata import StandIn

        context = context or DistributionFinder.Context()
        if (context.name or "").lower() != _ALIAS or any(
            True for _ in PathFinder.find_distributions(context)
        ):
            return []
        return [StandIn()]


def _no_such_module(own_name: str) -> ModuleNotFoundError:
    place = own_name.removeprefix(f"{_OWN}.")
    package, _, name = place.rpartition(".")
    try:
        parent = import_module(f"{_OWN}.{package}" if package else _OWN)
    except ImportError:
        parent = import_module(_OWN)
    siblings = sorted(
        found.name for found in iter_modules(getattr(parent, "__path__", [])) if found.name[0] != "_"
    )
    near = get_close_matches(name, siblings, n=1)
    if near:
        advice = (
            f"did you mean {_ALIAS}.{package}.{near[0]}?" if package else f"did you mean {_ALIAS}.{near[0]}?"
        )
    elif place in _ADAPTERS:
        usable = [name for name in siblings if name == "memory" or f"{package}.{name}" in _ADAPTERS]
        advice = (
            f"{package} has {', '.join(usable)}. Use one of these, "
            "or run the program with APScheduler itself: without the alias"
        )
    else:
        advice = "neither has APScheduler 3.11.3; check the name"
    return ModuleNotFoundError(
        f"No module named {f'{_ALIAS}.{place}'!r}: mainspring stands in for APScheduler here, "
        f"and has no {own_name!r}; {advice}",
        name=f"{_ALIAS}.{place}",
    )
