"""Lets programs written for APScheduler run on mainspring, unchanged.

Importing this module makes every later ``import apscheduler…`` give mainspring's module of the same place: the very
same object, also where APScheduler itself is installed. Three ways:

- ``import mainspring.as_apscheduler`` as the first import of a program,
- ``python -m mainspring.as_apscheduler script.py arguments…`` (or ``-m module``, or ``-c code``),
- ``pytest -p mainspring.as_apscheduler``.

``importlib.metadata`` goes on answering for APScheduler: with what is installed, otherwise with the release whose
interface mainspring has.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import mainspring

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

_ALIAS = "apscheduler"
_OWN = "mainspring"

_ANY = DistributionFinder.Context()

_USAGE = """\
usage: python -m mainspring.as_apscheduler [script.py | -m module | -c code] [arguments…]

Runs a program with mainspring in the place of APScheduler.
"""


class _Aliased(Loader):
    """Gives an import of APScheduler's name the module of ours."""

    def __init__(self, own_name: str) -> None:
        self._own_name = own_name
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - importlib's interface
        module = import_module(self._own_name)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own_spec  # importlib has put the alias's there


class _Distribution(Distribution):
    """What `importlib.metadata` is told where APScheduler is not installed."""

    def read_text(self, filename: str) -> str | None:
        if filename == "METADATA":
            return f"Metadata-Version: 2.1\nName: APScheduler\nVersion: {mainspring.version}\n"
        return None

    def locate_file(self, path: str | PathLike[str]) -> Any:
        return Path(mainspring.__path__[0]).parent / path


class _Finder(MetaPathFinder):
    """Finds ``apscheduler`` and all below it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's
    ) -> ModuleSpec | None:
        if fullname != _ALIAS and not fullname.startswith(f"{_ALIAS}."):
            return None
        own_name = _OWN + fullname.removeprefix(_ALIAS)
        own = find_spec(own_name)
        if own is None:
            raise ModuleNotFoundError(
                f"mainspring {mainspring.__version__}, which stands in for APScheduler here, has no module {own_name!r}. "
                f"See the list of differences in its README, or run the program without the alias",
                name=fullname,
            )
        return ModuleSpec(fullname, _Aliased(own_name), is_package=own.submodule_search_locations is not None)

    def find_distributions(self, context: DistributionFinder.Context = _ANY) -> Iterable[Distribution]:
        """APScheduler's, if it is asked for by name and not installed."""
        if (context.name or "").lower() == _ALIAS and not list(
            MetadataPathFinder.find_distributions(context)
        ):
            return [_Distribution()]
        return []


def install() -> None:
    """Put the alias in place; once is enough.

    Raises:
        ImportError: APScheduler itself was imported before.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    present = sys.modules.get(_ALIAS)
    if present is not None and present is not mainspring:
        raise ImportError(
            f"APScheduler was imported already (from {getattr(present, '__file__', '?')}): "
            "import mainspring.as_apscheduler before anything that imports apscheduler"
        )
    sys.meta_path.insert(0, _Finder())


def main(arguments: Sequence[str]) -> None:
    """Run a program as ``python`` would, under the alias."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE, end="", file=sys.stdout if arguments else sys.stderr)
        sys.exit(0 if arguments else 2)
    if arguments[0] in ("-m", "-c") and len(arguments) == 1:
        print(f"argument expected for the {arguments[0]} option\n{_USAGE}", end="", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    if arguments[0] == "-c":
        sys.argv[:] = ["-c", *arguments[2:]]
        sys.path[0] = ""
        _run(compile(arguments[1], "<string>", "exec"), None)
    elif arguments[0] == "-m":
        sys.path[0] = str(Path.cwd())
        spec = _module_to_run(arguments[1])
        sys.argv[:] = [str(spec.origin), *arguments[2:]]
        _run(_code_of(spec), spec.origin, package=spec.parent)
    else:
        script = Path(arguments[0])
        if not script.is_file():
            print(f"can't open file {str(script)!r}: there is no such file", file=sys.stderr)  # noqa: T201
            sys.exit(2)
        sys.argv[:] = list(arguments)
        sys.path[0] = str(script.resolve().parent)
        _run(_code_at(script), str(script))


def _module_to_run(name: str) -> ModuleSpec:
    spec = find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = find_spec(f"{name}.__main__")
    if spec is None:
        print(f"no module named {name!r}, or it can't be run", file=sys.stderr)  # noqa: T201 - a command's answer
        sys.exit(1)
    return spec


def _code_of(spec: ModuleSpec) -> Any:
    loader: Any = spec.loader  # all loaders of modules that can be run have it
    return loader.get_code(spec.name)


def _code_at(path: Path) -> Any:
    return compile(path.read_bytes(), str(path), "exec")


def _run(code: Any, file: str | None, package: str | None = None) -> None:
    """Run `code` in a module that is, and stays, ``__main__``: jobs go on using it when its code has ended."""
    module = ModuleType("__main__")
    module.__package__ = package
    module.__dict__["__builtins__"] = __builtins__
    if file is not None:
        module.__file__ = file
        # A worker process runs the main module again, under the name that its spec has. With ours it comes back here,
        # where the alias is put in place first.
        module.__spec__ = find_spec("mainspring.as_apscheduler")
    sys.modules["__main__"] = module
    exec(code, module.__dict__)  # noqa: S102 - that is what it was started for


install()

if __name__ == "__main__":
    main(sys.argv[1:])
elif __name__ == "__mp_main__":
    exec(_code_at(Path(sys.argv[0])), globals())  # noqa: S102 - as above, in a worker process
