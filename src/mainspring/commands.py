"""`run_command`: a job's function that runs a program of its own, as cron or a service manager would.

The command runs on the machine of the node that runs the job, in a process group of its own. It isn't confined: whoever may add jobs may run
any program with the rights of the scheduler's process.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mainspring.current import current_run
from mainspring.errors import (
    CommandFailedError,
    CommandRetryError,
    ConfigurationError,
    NoRunError,
    RunCancelledError,
)
from mainspring.printable import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mainspring.current import CancelToken

__all__ = ["run_command"]

#: How long a command that is told to end may take until it is killed.
TERM_GRACE_SECONDS = 5.0
#: How often it is asked whether the run is to end: there is no one thing that both a process and an event could be waited for with.
_POLL_SECONDS = 0.1
#: How long output is read of what a command has left running in the background.
_AFTERMATH_SECONDS = 1.0
#: A longer line is logged in pieces.
_LONGEST_LINE_BYTES = 8192
#: The highest exit code.
_MOST = 255
#: So many lines of the output are in the error of a command that has failed.
_LINES_IN_ERROR = 5


def run_command(
    command: str | Sequence[str],
    *,
    shell: str = "/bin/sh",
    environment: Mapping[str, str] | None = None,
    environment_files: Sequence[str] = (),
    inherit_environment: bool = True,
    directory: str | None = None,
    input: str | None = None,  # noqa: A002 - subprocess's name
    user: str | None = None,
    success_codes: Sequence[int] = (0,),
    nothing_to_do_codes: Sequence[int] = (),
    retry_codes: Sequence[int] = (),
) -> str | None:
    """Run a command to its end; what it writes goes to the log of the run, as it comes.

    The command gets a process group of its own. When the run is cancelled, or takes longer than the job's ``timeout``, the whole group is ended:
    by SIGTERM, and 5 seconds later by SIGKILL. (In a process pool the worker is ended instead, and the command goes on: use an executor of threads.)

    Args:
        command: a text for the shell, or a program with its arguments, without a shell.
        shell: what a text is given to, with ``-c``.
        environment: variables for the command.
        environment_files: files with more of them, read at each run, so that job stores don't have what is secret in them: lines of ``NAME=value``, with or
            without quotes. One with ``-`` before its path may be missing.
        inherit_environment: whether the command has those of the scheduler's process besides; if not, only ``HOME``, ``LOGNAME`` and ``USER`` of the user that it runs as.
        directory: where it is run; the scheduler's working directory, if it is not given. ``~`` is the user's home.
        input: what it reads from its standard input; nothing, if it is not given.
        user: whose rights it has. The scheduler must run as that user, or as root.
        success_codes: exit codes that mean success.
        nothing_to_do_codes: exit codes that mean that there was nothing to do: the run has succeeded, and its result says so.
        retry_codes: exit codes that mean that it is to be tried again. A job's ``retry`` with ``on=CommandRetryError`` tries again after these alone.

    Returns:
        ``None``, or a sentence if there was nothing to do.

    Raises:
        CommandRetryError: it ended with one of `retry_codes`.
        CommandFailedError: it ended with another exit code that means no success, or by a signal.
        ConfigurationError: it can't be run as that user.
        RunCancelledError: it was ended because the run was to end.
        OSError: there is no such program or directory.
    """
    success = checked_codes("success_codes", success_codes)
    nothing_to_do = checked_codes("nothing_to_do_codes", nothing_to_do_codes)
    retried = checked_codes("retry_codes", retry_codes)
    identity = _Identity.of(user)
    process = subprocess.Popen(  # noqa: S603 - to run commands is what this is for
        [shell, "-c", command] if isinstance(command, str) else list(command),
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=identity.expanded(directory),
        env=identity.environment(
            {**(environment or {}), **_read_files(environment_files)}, inherits=inherit_environment
        ),
        start_new_session=True,
        **identity.popen_options,
    )
    output = _Output(process.stdout)
    if input is not None:
        threading.Thread(target=_feed, args=(process.stdin, input), daemon=True).start()
    try:
        stopped = _wait(process, _cancelled())
    except BaseException:
        _signal_group(process, signal.SIGKILL)
        process.wait()
        raise
    output.finish()
    if stopped is not None:
        raise RunCancelledError(f"the command was ended: {stopped}")
    code = process.returncode
    if code in nothing_to_do:
        return f"there was nothing to do (exit code {code})"
    if code not in success:
        kind = CommandRetryError if code in retried else CommandFailedError
        raise kind(command, code, output.last_lines)
    return None


def checked_codes(name: str, value: Any) -> frozenset[int]:
    """Exit codes that are given for something.

    Raises:
        ConfigurationError: they are none.
    """
    codes = [value] if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(codes, list | tuple) or not all(
        isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= _MOST for code in codes
    ):
        raise ConfigurationError(
            f"{name} must be exit codes from 0 to {_MOST}, such as [0, 24], got {shown(value)}"
        )
    return frozenset(codes)


def _read_files(paths: Sequence[str]) -> dict[str, str]:
    """The variables in files of ``NAME=value``."""
    found: dict[str, str] = {}
    for path in paths:
        try:
            text = Path(path.removeprefix("-")).read_text(encoding="utf-8")
        except FileNotFoundError:
            if path.startswith("-"):
                continue
            raise
        for line in text.splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith(("#", ";")):
                value = value.strip()
                is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
                found[name.strip()] = value[1:-1] if is_quoted else value
    return found


class _Identity:
    """Whom a command runs as."""

    def __init__(self, name: str, home: str, popen_options: dict[str, Any]) -> None:
        self._name = name
        self._home = home
        self.popen_options = popen_options

    @classmethod
    def of(cls, user: str | None) -> _Identity:
        """The user of this name, if commands can be run as them; ``None``: that of this process.

        Raises:
            ConfigurationError: there is no such user, or this process may not.
        """
        if sys.platform == "win32":
            if user is not None:
                raise ConfigurationError(
                    f"a command can't be run as user {user!r} on Windows: leave user out"
                )
            return cls(os.environ.get("USERNAME", ""), os.path.expanduser("~"), {})  # noqa: PTH111 - a text is wanted
        import pwd

        own_id = os.geteuid()
        try:
            entry = pwd.getpwuid(own_id) if user is None else pwd.getpwnam(user)
        except KeyError:
            if user is None:  # a container may run as a number that nobody has
                return cls(str(own_id), os.environ.get("HOME", "/"), {})
            raise ConfigurationError(
                f"the command is to run as user {user!r}, and there is no such user here"
            ) from None
        if entry.pw_uid == own_id:
            return cls(entry.pw_name, entry.pw_dir, {})
        if own_id != 0:
            raise ConfigurationError(
                f"the command is to run as user {user!r}, and this scheduler runs as user id {own_id}, which may not: run the scheduler as {user!r} or "
                "as root, or give the job another user"
            )
        groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
        return cls(
            entry.pw_name,
            entry.pw_dir,
            {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups},
        )

    def environment(self, given: Mapping[str, str], *, inherits: bool) -> dict[str, str]:
        own = {"HOME": self._home, "LOGNAME": self._name, "USER": self._name}
        if not inherits:
            return {**own, **given}
        return {**os.environ, **(own if self.popen_options else {}), **given}

    def expanded(self, directory: str | None) -> str | None:
        if directory is not None and (directory == "~" or directory.startswith("~/")):
            return self._home + directory[1:]
        return directory


class _Output:
    """Reads what a command writes, and logs it line by line."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.last_lines: list[str] = []
        self._log = _log()
        self._stream = stream
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self._stream is None:
            return
        with suppress(OSError, ValueError), self._stream:
            while line := self._stream.readline(_LONGEST_LINE_BYTES):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                self.last_lines = [*self.last_lines[1 - _LINES_IN_ERROR :], text]
                self._log.info("%s", text)

    def finish(self) -> None:
        """Wait for the rest of it. What the command has left in the background may hold it open for ever, and isn't waited for."""
        self._reader.join(_AFTERMATH_SECONDS)


def _log() -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    try:
        return current_run().log
    except NoRunError:  # somebody calls it by hand
        return logging.getLogger("mainspring.run")


def _cancelled() -> CancelToken | None:
    try:
        return current_run().cancelled
    except NoRunError:
        return None


def _wait(process: subprocess.Popen[bytes], cancelled: CancelToken | None) -> str | None:
    """Wait for the end of a process, or of its run; in that case end the process, and tell why."""
    while cancelled is None or not cancelled.is_set():
        with suppress(subprocess.TimeoutExpired):
            process.wait(None if cancelled is None else _POLL_SECONDS)
            return None
    _signal_group(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(TERM_GRACE_SECONDS)
    _signal_group(
        process, getattr(signal, "SIGKILL", signal.SIGTERM)
    )  # also those of the group that outlive the first of it
    process.wait()
    return cancelled.reason or "the run was to end"


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, number)


def _feed(stream: IO[bytes] | None, text: str) -> None:
    """Write a command's input. It may be longer than the pipe takes, and the command may not read it."""
    if stream is not None:
        with suppress(OSError), stream:
            stream.write(text.encode())
