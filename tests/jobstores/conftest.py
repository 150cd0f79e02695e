from __future__ import annotations

import pytest


@pytest.fixture
def started():
    """Starts stores without a scheduler, and shuts them down in the end."""
    stores = []

    def start(store):
        store.start(None, "default")
        stores.append(store)
        return store

    yield start
    for store in stores:
        store._held = 0
        store.shutdown()
