"""Which job store a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mainspring.admin import Admin
from mainspring.cli.configuration import Configuration
from mainspring.jobstores.by_url import store_for
from mainspring.masking import without_secrets

if TYPE_CHECKING:
    from mainspring.jobstores.shared.store import SharedJobStore

#: Where a configuration is looked for.
USUAL_FILE = Path("mainspring.toml")
#: The job store where none is named, in SQLite's file.
USUAL_STORE = Path("mainspring.sqlite")


class Target:
    """The job store that a command is about, as it was named before the command.

    Args:
        store: its URL, or a file; ``None``: the default store of ``mainspring.toml`` in this directory.
        who: under which name what is done is noted.
        why: the reason that is noted with it.
    """

    def __init__(
        self,
        store: str | None,
        namespace: str | None,
        timezone: str | None,
        who: str | None = None,
        why: str | None = None,
    ) -> None:
        self.store = store
        self.namespace = namespace
        self.timezone = timezone
        self.who = who
        self.why = why

    @property
    def name(self) -> str:
        """What people call it, without passwords."""
        return f"the default store of {USUAL_FILE}" if self.store is None else without_secrets(self.store)

    def open(self, *, makes: bool = False) -> Admin:
        """Open it.

        Args:
            makes: make it where it isn't there.

        Raises:
            MainspringError: it can't be.
            click.UsageError: none was named.
        """
        return Admin(
            self._found(),
            namespace=self.namespace,
            timezone=self.timezone,
            makes=makes,
            who=self.who,
            why=self.why,
        )

    def store_alone(self) -> SharedJobStore:
        """The store, not opened, to ask it what it lacks.

        Raises:
            MainspringError: there is none of this name.
            click.UsageError: none was named.
        """
        found = self._found()
        return store_for(found, namespace=self.namespace) if isinstance(found, str) else found

    def stores_of(self, configuration: Configuration) -> dict[str, SharedJobStore]:
        """The job stores of a file by their aliases, made anew; its default store is the one that was named before the command, if one was.

        Raises:
            MainspringError: one can't be made.
        """
        stores = dict(configuration.stores())
        if self.store is not None:
            stores["default"] = store_for(self.store, namespace=self.namespace)
        return stores

    def _found(self) -> str | SharedJobStore:
        if self.store is not None:
            return self.store
        if not USUAL_FILE.exists():
            if USUAL_STORE.exists():
                return str(USUAL_STORE)
            raise click.UsageError(
                f"which job store? Give --store URL before the command, set MAINSPRING_STORE, or have a {USUAL_FILE} (or a {USUAL_STORE}) in this directory"
            )
        return Configuration.read(USUAL_FILE).default_store()
