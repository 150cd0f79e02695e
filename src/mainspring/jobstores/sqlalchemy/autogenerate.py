"""For programs with migrations of their own: Alembic's ``--autogenerate`` is to leave the tables of job stores alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table

from mainspring.coercion import names_keywords
from mainspring.jobstores.shared.namespaces import checked_namespace, within
from mainspring.jobstores.sqlalchemy.tables import ADOPTED, KINDS, table_beside

if TYPE_CHECKING:
    from collections.abc import Callable


@names_keywords
def without_job_tables(
    *tablenames: str, namespace: str | None = None, also: Callable[..., bool] | None = None
) -> Callable[[Any, str | None, str, bool, Any], bool]:
    """An ``include_object`` for ``context.configure`` in Alembic's ``env.py``.

    Without it, autogenerate finds the store's tables in the database and not in the program's metadata, and writes a migration that
    drops them.

    Args:
        tablenames: of the job stores; ``"mainspring_jobs"`` if none is given.
        namespace: of the stores.
        also: another ``include_object``, asked about everything else.
    """
    names = set()
    for tablename in tablenames or ("mainspring_jobs",):
        jobs = within(checked_namespace(namespace), tablename, "_")
        names |= {jobs, *(table_beside(jobs, kind) for kind in (*KINDS, ADOPTED))}

    def include(subject: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
        table = subject if isinstance(subject, Table) else getattr(subject, "table", None)
        if table is not None and table.name in names:
            return False
        return also is None or also(subject, name, kind, reflected, compare_to)

    return include
