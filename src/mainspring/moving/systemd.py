"""systemd's timers with the services that they start: unit files, with drop-ins and templates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mainspring.coercion import names_keywords
from mainspring.errors import ReadingError
from mainspring.moving.plan import COMMAND, Planner, trigger_of, zone_text
from mainspring.moving.unit_files import CommandLine, Setting, Unit, UnitFiles, span, words
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from mainspring.moving.plan import Plan
    from mainspring.triggers.base import BaseTrigger

__all__ = ["read_systemd"]

_ONCE = ("OnActiveSec", "OnBootSec", "OnStartupSec")
_AGAIN = ("OnUnitActiveSec", "OnUnitInactiveSec")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: What is understood, or makes no difference here.
_KNOWN = {
    "Timer": {
        *_ONCE,
        *_AGAIN,
        "OnCalendar",
        "Persistent",
        "RandomizedDelaySec",
        "FixedRandomDelay",
        "AccuracySec",
        "Unit",
        "RemainAfterElapse",
    },
    "Service": {
        "Type",
        "ExecStart",
        "ExecStartPre",
        "ExecStartPost",
        "Environment",
        "EnvironmentFile",
        "WorkingDirectory",
        "User",
        "TimeoutStartSec",
        "TimeoutSec",
        "RuntimeMaxSec",
        "SyslogIdentifier",
        "RemainAfterExit",
        "StandardOutput",
        "StandardError",
    },
    "Unit": {"Description", "Documentation", "SourcePath"},
}
_TRUE = {"1", "yes", "y", "true", "t", "on"}
_FALSE = {"0", "no", "n", "false", "f", "off"}


@names_keywords
def read_systemd(
    source: str | Path | Mapping[str, str],
    *,
    timezone: Any = None,
    boot: Literal["leave_out", "on_apply"] = "leave_out",
    now: datetime | None = None,
) -> Plan:
    """A plan of systemd's timers. The commands of a timer's service are run by `mainspring.commands.run_command`.

    Args:
        source: the path of a ``.timer``, beside which its service and drop-ins are; of a folder of units; or their texts by their names, such as
            ``{"backup.timer": …, "backup.service": …, "backup.timer.d/more.conf": …}``.
        timezone: of ``OnCalendar=`` without a zone; the scheduler's, if it is not given.
        boot: what becomes of timers that fire only once after the boot: they are left out, or run once when the plan is applied for the first time.
        now: from when on next runs are told; the present, if it is not given.

    Raises:
        ReadingError: a file can't be read; the message says where, and what was expected.
    """
    if boot not in ("leave_out", "on_apply"):
        raise ValueError(f"boot must be 'leave_out' or 'on_apply', got {boot!r}")
    files, timers, name = _files(source)
    planner = Planner(name, now=now, timezone=timezone, tag="systemd")
    for timer in timers:
        if timer.rpartition(".")[0].endswith("@"):
            planner.leave_out(
                timer,
                timer,
                "it is a template: give an instance of it, such as the text of backup@daily.timer",
            )
        else:
            _plan(planner, files, timer, boot)
    return planner.plan()


def _files(source: Any) -> tuple[UnitFiles, list[str], str]:
    if isinstance(source, Mapping):
        files = UnitFiles({str(name): (str(name), text) for name, text in source.items()})
        return files, files.timers, "systemd"
    if not isinstance(source, (str, Path)):
        raise TypeError(
            f"expected the path of a .timer or of a folder, or texts by the names of units, got {type(source).__name__} {source!r}"
        )
    path = Path(source)
    if path.is_dir():
        files = UnitFiles.in_folder(path)
        return files, files.timers, str(path)
    if path.suffix != ".timer":
        raise ReadingError(str(source), None, "expected the path of a .timer or of a folder of units")
    files = UnitFiles.in_folder(path.parent)
    if files.unit(path.name) is None:
        raise ReadingError(str(path), None, "there is no such file, nor a template of it")
    return files, [path.name], str(path)


def _plan(planner: Planner, files: UnitFiles, name: str, boot: str) -> None:
    timer = files.unit(name)
    if timer is None:
        return
    notes: list[str] = []
    strange: set[str] = set()
    wanted = timer.last("Timer", "Unit")
    service_name = (
        timer.expanded(wanted.value, strange) if wanted else f"{name.removesuffix('.timer')}.service"
    )
    service = files.unit(service_name)
    if service is None or not service.all("Service", "ExecStart"):
        missing = "isn't here" if service is None else "has no ExecStart="
        planner.leave_out(name, service_name, f"{service_name} {missing}")
        return
    trigger = _trigger(planner, timer, boot, notes)
    if trigger is None:
        reason = "it fires once after the boot: run it where the program starts, or read with boot='on_apply'"
        has_boot = any(timer.all("Timer", key) for key in _ONCE)
        planner.leave_out(
            name,
            service_name,
            reason if has_boot else "it says not when: expected OnCalendar=, OnUnitActiveSec= or another",
        )
        return
    options: dict[str, Any] = {}
    if _flag(timer.last("Timer", "Persistent")):
        options["misfire_policy"] = "once"
    kind = service.last("Service", "Type")
    if kind is not None and kind.value == "oneshot":  # which is starting as long as it runs
        limit = service.last("Service", "TimeoutStartSec") or service.last("Service", "TimeoutSec")
    else:
        limit = service.last("Service", "RuntimeMaxSec")
    if limit is not None and (timeout := span(limit)):
        options["timeout"] = timeout
    command, kwargs = _command(service, notes, strange)
    _note_unknown(timer, ("Unit", "Timer"), notes)
    _note_unknown(service, ("Unit", "Service"), notes)
    if strange:
        notes.append(
            f"{', '.join(sorted(strange))}: what these stand for isn't known here; they stay as they are"
        )
    told = service.last("Unit", "Description") or timer.last("Unit", "Description")
    planner.add(
        name,
        COMMAND,
        trigger,
        args=(command,),
        kwargs=kwargs,
        name=told.value if told else name,
        options=options,
        place=name,
        notes=notes,
    )


def _trigger(planner: Planner, timer: Unit, boot: str, notes: list[str]) -> BaseTrigger | None:
    """When a timer fires; ``None``: only at boot, of which nothing is to be made, or never."""
    parts = [_calendar(setting, planner.timezone) for setting in timer.all("Timer", "OnCalendar")]
    once = [f"{key}={setting.value}" for key in _ONCE for setting in timer.all("Timer", key)]
    has_again = False
    for key in _AGAIN:
        for setting in timer.all("Timer", key):
            every = span(setting)
            if not every:
                raise ReadingError(
                    setting.source, setting.line, f"expected a span of time above zero, got {setting.value!r}"
                )
            if key == "OnUnitInactiveSec":
                notes.append(
                    f"{key}={setting.value} counts from the end of a run; here it is counted between beginnings, and a run that is due meanwhile is skipped"
                )
            parts.append(
                IntervalTrigger(
                    seconds=every.total_seconds(), first="now" if once and not has_again else None
                )
            )
            has_again = True
    if not parts:
        if not once or boot == "leave_out":
            return None
        notes.append(f"{', '.join(once)}: it is run once, when it is added, and not at each boot")
        return DateTrigger()
    if once:
        notes.append(
            f"{', '.join(once)}: {'it runs first when it is added' if has_again else 'it has no run after the boot'}"
        )
    trigger = parts[0] if len(parts) == 1 else OrTrigger(parts)
    delay = timer.last("Timer", "RandomizedDelaySec")
    if delay is None or not (most := span(delay)):
        return trigger
    if not _flag(timer.last("Timer", "FixedRandomDelay")):
        notes.append(f"RandomizedDelaySec={delay.value}: the delay is the job's own, and the same every time")
    return trigger.spread(most)


def _calendar(setting: Setting, zone: tzinfo | None) -> BaseTrigger:
    trigger = trigger_of(setting.value, "systemd", setting.source, setting.line)
    if zone is None or isinstance(trigger, DateTrigger):
        return trigger
    with_zone = f"{setting.value} {zone_text(zone)}"
    try:
        return trigger_of(with_zone, "systemd", setting.source, setting.line)
    except ReadingError:
        return trigger  # it has a zone of its own


def _command(service: Unit, notes: list[str], strange: set[str]) -> tuple[str | list[str], dict[str, Any]]:
    """What a service runs, and with what."""
    lines = [
        command
        for key in ("ExecStartPre", "ExecStart", "ExecStartPost")
        for setting in service.all("Service", key)
        for command in CommandLine.of(setting, service.expanded(setting.value, strange))
    ]
    if any(line.rights for line in lines):
        notes.append("commands with + or ! are run with the rights of the others")
    kind = service.last("Service", "Type")
    if kind is not None and kind.value in ("forking", "notify", "notify-reload", "dbus"):
        notes.append(
            f"Type={kind.value}: a run lasts until its command ends; what that leaves in the background isn't seen"
        )
    environment = {"PATH": _PATH}
    for setting in service.all("Service", "Environment"):
        for word in words(setting, service.expanded(setting.value, strange)):
            name, equals, value = word.partition("=")
            if not equals:
                raise ReadingError(
                    setting.source, setting.line, f"expected assignments such as NAME=value, got {word!r}"
                )
            environment[name] = value
    folder = service.last("Service", "WorkingDirectory")
    kwargs: dict[str, Any] = {"environment": environment, "inherit_environment": False}
    kwargs["directory"] = service.expanded(folder.value.removeprefix("-"), strange) if folder else "/"
    files = [
        service.expanded(setting.value, strange) for setting in service.all("Service", "EnvironmentFile")
    ]
    if files:
        kwargs["environment_files"] = files
    user = service.last("Service", "User")
    if user is not None:
        kwargs["user"] = service.expanded(user.value, strange)
    if len(lines) == 1 and lines[0].is_plain:
        return lines[0].words, kwargs
    return "set -f; " + " && ".join(line.in_shell() for line in lines), kwargs


def _note_unknown(unit: Unit, sections: tuple[str, ...], notes: list[str]) -> None:
    """Say which settings have no effect here."""
    told = [
        f"{key}={values[-1].value}"
        for (section, key), values in unit.settings.items()
        if section in sections and key not in _KNOWN[section] and values
    ]
    if told:
        notes.append(f"of {unit.name}, these have no effect here: {', '.join(told)}")


def _flag(setting: Setting | None) -> bool:
    if setting is None:
        return False
    if setting.value.lower() not in _TRUE | _FALSE:
        raise ReadingError(setting.source, setting.line, f"expected yes or no, got {setting.value!r}")
    return setting.value.lower() in _TRUE
