"""Kubernetes: manifests of ``CronJob``, as YAML or as loaded data. The command of the container becomes a job that runs it here, without the container."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.coercion import names_keywords
from mainspring.errors import ReadingError, safe_str
from mainspring.extras import library_missing
from mainspring.moving.plan import COMMAND, Planner, crontab_trigger, text_of, zone_of
from mainspring.printable import shown
from mainspring.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mainspring.moving.plan import Plan

__all__ = ["read_kubernetes"]

_VARIABLE = re.compile(r"\$\$|\$\((?P<name>[A-Za-z_][A-Za-z0-9_.-]*)\)")
_OVERLAPS = {"Allow": "allow", "Forbid": "skip", "Replace": "cancel_running"}
_SPEC = {
    "schedule",
    "timeZone",
    "concurrencyPolicy",
    "startingDeadlineSeconds",
    "suspend",
    "jobTemplate",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
}
_JOB_SPEC = {"template", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"}
_POD_SPEC = {"containers", "restartPolicy"}
_CONTAINER = {"name", "image", "imagePullPolicy", "command", "args", "env", "workingDir"}
#: How often Kubernetes tries a job again that names no limit, and how long it waits.
_USUAL_BACKOFF_LIMIT = 6
#: Kubernetes' numbers are of 32 or 64 bits; more than this nobody means.
_MOST = 2**31 - 1
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 10, 360


class _Document(NamedTuple):
    """A document of a manifest, and where it begins."""

    value: Any
    source: str
    line: int | None


@names_keywords
def read_kubernetes(
    source: Any,
    *,
    functions: Mapping[str, str | Callable[..., Any]] | None = None,
    timezone: Any = None,
    now: datetime | None = None,
) -> Plan:
    """A plan of Kubernetes' CronJobs.

    Args:
        source: the path of a manifest, or of a folder of them; its text, of any number of documents; or documents that are loaded already, one or a list.
        functions: functions, or references to them, by the names of CronJobs (``"name"``, or ``"namespace/name"``) that are to be called in place of the
            container's command.
        timezone: of schedules without ``timeZone``; UTC, if it is not given, which is the usual zone of clusters.
        now: from when on next runs are told; the present, if it is not given.

    Raises:
        ReadingError: a manifest can't be read; the message says where, and what was expected.
        ImportError: a text is given, and PyYAML isn't installed.
    """
    documents = _documents(source)
    is_path = isinstance(source, (str, Path)) and documents and documents[0].source == str(source)
    planner = Planner(
        str(source) if is_path else "kubernetes", now=now, timezone=timezone or "UTC", tag="kubernetes"
    )
    found = [cron_job for document in documents for cron_job in _cron_jobs(planner, document)]
    for document in found:
        _plan(planner, document, functions or {}, is_given=timezone is not None)
    return planner.plan()


def _documents(source: Any) -> list[_Document]:
    if isinstance(source, Mapping):
        return [_Document(source, "kubernetes", None)]
    if isinstance(source, Iterable) and not isinstance(source, (str, bytes, Path)):
        return [_Document(value, "kubernetes", None) for value in source]
    if isinstance(source, (str, Path)) and "\n" not in str(source) and Path(source).is_dir():
        files = sorted(path for path in Path(source).iterdir() if path.suffix in (".yaml", ".yml", ".json"))
        return [document for path in files for document in _loaded(*text_of(path, what=""))]
    return _loaded(*text_of(source, what="kubernetes"))


def _loaded(source: str, text: str) -> list[_Document]:
    try:
        import yaml
    except ImportError as error:
        raise library_missing("read_kubernetes", "PyYAML", "yaml", "yaml", error) from None
    documents: list[_Document] = []
    try:
        loader = yaml.SafeLoader(text)
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                line = node.start_mark.line + 1
                documents.append(_Document(loader.construct_document(node), source, line))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ReadingError(
            source, None if mark is None else mark.line + 1, f"expected YAML, and {error.problem}"
        ) from None
    except yaml.YAMLError as error:
        raise ReadingError(source, None, f"expected YAML, and {safe_str(error).splitlines()[0]}") from None
    return documents


def _cron_jobs(planner: Planner, document: _Document) -> list[_Document]:
    """The CronJobs of a document; what else it has is left out."""
    value = document.value
    if value is None:
        return []
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        raise ReadingError(
            document.source, document.line, f"expected a manifest with kind: CronJob, got {shown(value):.200}"
        )
    kind = value["kind"]
    if kind.endswith("List"):
        items = value.get("items") or []
        return [one for item in items for one in _cron_jobs(planner, document._replace(value=item))]
    if kind != "CronJob":
        metadata = value.get("metadata")
        name = metadata.get("name", "") if isinstance(metadata, Mapping) else ""
        planner.leave_out(_place(document), f"{kind} {name}".strip(), "it is no CronJob")
        return []
    return [document]


def _place(document: _Document) -> str:
    return document.source if document.line is None else f"{document.source}:{document.line}"


def _part(document: _Document, value: Any, *path: str) -> Mapping[str, Any]:
    """A part of a manifest.

    Raises:
        ReadingError: it isn't there.
    """
    for step, key in enumerate(path):
        value = value.get(key) if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping):
            raise ReadingError(
                document.source,
                document.line,
                f"expected {'.'.join(path)} in a CronJob, and {'.'.join(path[: step + 1])} is {shown(value)}",
            )
    found: Mapping[str, Any] = value
    return found


def _plan(planner: Planner, document: _Document, functions: Mapping[str, Any], *, is_given: bool) -> None:
    metadata, spec = _part(document, document.value, "metadata"), _part(document, document.value, "spec")
    name = metadata.get("name")
    notes: list[str] = []
    if not isinstance(name, str) or not isinstance(spec.get("schedule"), str):
        raise ReadingError(
            document.source,
            document.line,
            f"expected metadata.name and spec.schedule to be texts, got {name!r} and {spec.get('schedule')!r}",
        )
    job_id = f"{metadata['namespace']}/{name}" if metadata.get("namespace") else name
    schedule, zone = spec["schedule"].strip(), planner.timezone
    if spec.get("timeZone"):
        zone = zone_of(str(spec["timeZone"]), document.source, document.line)
    elif not is_given:
        planner.notes.append(
            "schedules without timeZone are read in UTC, which is the usual zone of clusters: timezone=… says another"
        )
    trigger = crontab_trigger(schedule, zone, document.source, document.line)
    job_spec = _part(document, spec, "jobTemplate", "spec")
    pod_spec = _part(document, job_spec, "template", "spec")
    options = _options(document, spec, job_spec)
    told = {**_unknown(spec, _SPEC), **_unknown(job_spec, _JOB_SPEC), **_unknown(pod_spec, _POD_SPEC)}
    func = functions.get(job_id, functions.get(name))
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    if func is None:
        container = _container(document, pod_spec)
        command = [*_texts(document, container, "command"), *_texts(document, container, "args")]
        if not container.get("command"):
            reason = f"its command is in the image {shown(container.get('image'))} alone: read with functions={{{name!r}: 'package.module:function'}}"
            planner.leave_out(_place(document), job_id, reason)
            return
        if len(pod_spec["containers"]) > 1 or pod_spec.get("initContainers"):
            planner.leave_out(
                _place(document),
                job_id,
                f"its pod has several containers: read with functions={{{name!r}: 'package.module:function'}}",
            )
            return
        told |= _unknown(container, _CONTAINER)
        environment = _environment(document, container, notes)
        func, args = COMMAND, ([_expanded(word, environment) for word in command],)
        kwargs = {"environment": environment}
        if container.get("workingDir"):
            kwargs["directory"] = str(container["workingDir"])
        notes.append(
            f"it is run on the machine of the scheduler, not in the image {shown(container.get('image'))}"
        )
    if told:
        notes.append(f"these have no effect here: {', '.join(sorted(told))}")
    planner.add(
        job_id,
        func,
        trigger,
        args=args,
        kwargs=kwargs,
        name=name,
        options=options,
        place=_place(document),
        notes=notes,
        is_paused=_is_suspended(document, spec),
    )


def _is_suspended(document: _Document, spec: Mapping[str, Any]) -> bool:
    value = spec.get("suspend")
    if value is not None and not isinstance(value, bool):
        raise ReadingError(
            document.source, document.line, f"expected suspend to be true or false, got {shown(value)}"
        )
    return bool(value)


def _options(document: _Document, spec: Mapping[str, Any], job_spec: Mapping[str, Any]) -> dict[str, Any]:
    policy = spec.get("concurrencyPolicy", "Allow")
    if not isinstance(policy, str) or policy not in _OVERLAPS:
        raise ReadingError(
            document.source,
            document.line,
            f"expected concurrencyPolicy to be one of {', '.join(_OVERLAPS)}, got {shown(policy)}",
        )
    options: dict[str, Any] = {"overlap": _OVERLAPS[policy]}
    deadline = _whole(document, spec, "startingDeadlineSeconds")
    options |= {"misfire_policy": "once"} if deadline is None else {"misfire_grace_time": deadline}
    limit = _whole(document, job_spec, "backoffLimit")
    limit = _USUAL_BACKOFF_LIMIT if limit is None else limit
    if limit:
        options["retry"] = Retry(
            attempts=limit + 1, delay=_FIRST_WAIT_SECONDS, longest_delay=_LONGEST_WAIT_SECONDS
        )
    timeout = _whole(document, job_spec, "activeDeadlineSeconds")
    if timeout:
        options["timeout"] = timeout
    return options


def _whole(document: _Document, values: Mapping[str, Any], name: str) -> int | None:
    value = values.get(name)
    if value is not None and (type(value) is not int or not 0 <= value <= _MOST):
        raise ReadingError(
            document.source, document.line, f"expected {name} to be a whole number, got {shown(value)}"
        )
    return value


def _texts(document: _Document, values: Mapping[str, Any], name: str) -> list[str]:
    found = values.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, (str, int, float)) for one in found):
        raise ReadingError(
            document.source, document.line, f"expected {name} to be a list of texts, got {shown(found)}"
        )
    return [*map(str, found)]


def _container(document: _Document, pod_spec: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = pod_spec.get("containers")
    if not isinstance(containers, list) or not containers or not isinstance(containers[0], Mapping):
        raise ReadingError(
            document.source, document.line, f"expected containers in a CronJob's pod, got {shown(containers)}"
        )
    return containers[0]


def _unknown(values: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    return {
        name: value for name, value in values.items() if name not in known and value not in (None, {}, [])
    }


def _environment(document: _Document, container: Mapping[str, Any], notes: list[str]) -> dict[str, str]:
    environment: dict[str, str] = {}
    elsewhere: list[str] = []
    variables = container.get("env") or []
    if not isinstance(variables, list) or not all(
        isinstance(one, Mapping) and one.get("name") for one in variables
    ):
        raise ReadingError(
            document.source,
            document.line,
            f"expected env to be a list of name and value, got {shown(variables)}",
        )
    for variable in variables:
        name = str(variable["name"])
        if "valueFrom" in variable:
            elsewhere.append(name)
        else:
            environment[name] = _expanded(str(variable.get("value") or ""), environment)
    if elsewhere:
        notes.append(
            f"{', '.join(elsewhere)} had values of the cluster's (valueFrom): give the scheduler's process these variables"
        )
    return environment


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    """A text with ``$(NAME)`` replaced, where the value is known, and ``$$`` as ``$``."""

    def replaced(match: re.Match[str]) -> str:
        return "$" if match["name"] is None else environment.get(match["name"], match[0])

    return _VARIABLE.sub(replaced, text)
