"""The contracts that stores keep, as tests: for our own stores, and for those of third parties.

- `RunStoreConformance` is for a job store (`mainspring.jobstores.contract.RunStore`): its promises are in `run_store.py`.
- `BackendConformance` is for a database behind a store that nodes share (`mainspring.jobstores.shared.backend.Backend`): `backend.py`.

Each contract is a table of promises, every one with the methods that keep it (`STORE_PROMISES`, `BACKEND_PROMISES`). Make a class of yours of the suite in a
test file, and give it a fixture that builds what is to be tested::

    class TestMyStore(RunStoreConformance):
        @pytest.fixture
        def store(self):
            store = MyStore()
            store.start(None, "default")
            yield store
            store.shutdown()

Where to start: ``docs/stores/writing.md``. Needs pytest.
"""

from mainspring.testing.conformance.backend import BACKEND_PROMISES, BackendConformance
from mainspring.testing.conformance.building import (
    SECOND,
    START,
    claim,
    claim_all,
    deciding,
    ids,
    manual_run,
    record,
    refuse,
    result,
    submission,
)
from mainspring.testing.conformance.promises import Promise
from mainspring.testing.conformance.run_store import STORE_PROMISES, RunStoreConformance

__all__ = [
    "BACKEND_PROMISES",
    "SECOND",
    "START",
    "STORE_PROMISES",
    "BackendConformance",
    "Promise",
    "RunStoreConformance",
    "claim",
    "claim_all",
    "deciding",
    "ids",
    "manual_run",
    "record",
    "refuse",
    "result",
    "submission",
]
