"""Runs a program as ``python`` itself would, under the alias.

When the program's main code has ended, its threads go on as in plain Python: this waits for nothing and stops nothing.
Other than in plain Python, Ctrl-C ends the program without a traceback. Options of the interpreter stand before ``-m
mainspring.as_apscheduler``; a program on standard input is not read.
"""

from __future__ import annotations

import builtins
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = """\
usage: python -m mainspring.as_apscheduler [script.py | -m module | -c code] [arguments…]

Runs a program with mainspring in the place of APScheduler.
"""

#: What a shell reports for a program that Ctrl-C has ended: 128 and the signal's number.
_INTERRUPTED = 130

#: The module that was ``__main__`` before the program's: a module that nobody holds loses what is in it.
_kept: list[ModuleType] = []


def main(arguments: Sequence[str]) -> None:
    """Run the program that the command line names, with the arguments that follow it.

    Raises:
        SystemExit: there is no such program (2, or 1 for a module), it was interrupted (130), it raised (1), or wanted it.
    """
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(_USAGE, end="", file=sys.stdout if arguments else sys.stderr)
        sys.exit(0 if arguments else 2)
    first, *rest = arguments
    if first in {"-c", "-m"} and not rest:
        _refuse(
            f"{first} needs an argument: {'code' if first == '-c' else 'the name of a module'}\n{_USAGE}", 2
        )
    if first == "-c":
        _run_code(rest[0], rest[1:])
    elif first == "-m":
        _run_module(rest[0], rest[1:])
    elif first.startswith("-"):
        _refuse(f"{first} is no option here; options of Python stand before -m\n{_USAGE}", 2)
    else:
        _run_script(first, rest)


def _run_code(text: str, arguments: Sequence[str]) -> None:
    sys.argv[:] = ["-c", *arguments]
    _set_first_path("")
    _run(compile(text, "<string>", "exec", dont_inherit=True), ModuleType("__main__"))


def _run_module(name: str, arguments: Sequence[str]) -> None:
    sys.argv[:] = ["-m", *arguments]
    _set_first_path(str(Path.cwd()))
    try:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = find_spec(f"{name}.__main__")
    except (ImportError, ValueError) as error:
        _refuse(f"can't run the module {name!r}: {error}", 1)
    code = _code_of(spec)
    if spec is None or code is None:
        _refuse(
            f"can't run {name!r}: there is no module of that name, or it is a package without __main__", 1
        )
    sys.argv[0] = str(spec.origin)
    module = ModuleType("__main__")
    module.__file__ = spec.origin
    module.__spec__ = spec
    module.__loader__ = spec.loader
    module.__package__ = spec.parent
    _run(code, module)


def _run_script(name: str, arguments: Sequence[str]) -> None:
    path = Path(name)
    module = ModuleType("__main__")
    module.__file__ = name
    sys.argv[:] = [name, *arguments]
    if path.is_dir() or path.suffix in {".zip", ".pyz"}:
        _set_first_path(name)
        spec = PathFinder.find_spec("__main__", [name])
        code = _code_of(spec)
        if spec is None or code is None:
            _refuse(f"can't run {name!r}: there is no __main__ module in it", 1)
        module.__file__ = spec.origin
        module.__spec__ = spec
        module.__loader__ = spec.loader
        module.__package__ = ""
    else:
        try:
            source = path.read_bytes()
        except OSError as error:
            _refuse(f"can't open the program {name!r}: {error.strerror}", 2)
        _set_first_path(str(path.resolve().parent))
        module.__loader__ = SourceFileLoader("__main__", name)
        try:
            code = compile(source, name, "exec", dont_inherit=True)
        except SyntaxError as error:
            _show(error, None)
            sys.exit(1)
    _run(code, module)


def _code_of(spec: ModuleSpec | None) -> CodeType | None:
    loader: Any = spec and spec.loader
    if spec is None or not hasattr(loader, "get_code"):
        return None
    code: CodeType | None = loader.get_code(spec.name)
    return code


def _set_first_path(entry: str) -> None:
    if not sys.flags.safe_path:  # with -P, nobody has put a first entry there that could be replaced
        sys.path[0] = entry


def _run(code: CodeType, module: ModuleType) -> None:
    """Run `code` in `module`, which is, and stays, ``__main__``: jobs go on using it when its code has ended."""
    module.__dict__.setdefault("__builtins__", builtins)
    _kept.append(sys.modules["__main__"])
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 - that is what it was started for
    except SystemExit:
        raise
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BaseException as error:  # noqa: BLE001 - shown as Python shows it, less the lines of this file
        _show(error, error.__traceback__.tb_next if error.__traceback__ else None)
        sys.exit(1)


def _show(error: BaseException, traceback: TracebackType | None) -> None:
    error.__traceback__ = traceback
    sys.excepthook(type(error), error, traceback)


def _refuse(message: str, code: int) -> NoReturn:
    print(f"mainspring.as_apscheduler: {message}".rstrip(os.linesep), file=sys.stderr)  # noqa: T201 - a command's answer
    sys.exit(code)
