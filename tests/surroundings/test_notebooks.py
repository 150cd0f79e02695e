"""Cells of a Jupyter notebook: an event loop runs already, and functions are in no file."""

from __future__ import annotations

import json

import pytest

from .programs import environment_with, run

CELLS = [
    """
import asyncio, threading
from mainspring import AsyncIOScheduler, BackgroundScheduler
on_loop, ran = AsyncIOScheduler(), asyncio.Event()
async def work():
    ran.set()
on_loop.start()
on_loop.add_job(work)
await asyncio.wait_for(ran.wait(), 30)
""",
    """
threads = BackgroundScheduler()
threads.start()
def of_cell(): return "first"
job = threads.add_job(of_cell, "interval", hours=1, id="f")
print(threads.run_job("f").wait(30).result)
""",
    """
def of_cell(): return "second"
threads.add_job(of_cell, "interval", hours=1, id="f", replace_existing=True)
print(threads.run_job("f").wait(30).result, len(threads.get_jobs()))
""",
    """
from mainspring.executors.pool import ProcessPoolExecutor
threads.add_executor(ProcessPoolExecutor(1), "processes")
print(threads.run_job(threads.add_job(of_cell, "interval", hours=1, executor="processes").id).wait(60).error)
""",
    """
threads.shutdown()
ended = on_loop.shutdown()
if ended is not None: await ended
print(threads.running, on_loop.running)
""",
]
SAID = ["True\n", '"first"\n', '"second" 1\n', "keep them in a module", "False False\n"]
RUN = """
import json, sys, nbformat
from nbclient import NotebookClient
cells = [nbformat.v4.new_code_cell(source) for source in json.loads(sys.argv[1])]
notebook = nbformat.v4.new_notebook(cells=cells)
NotebookClient(notebook, timeout=120).execute()
print(json.dumps(["".join(one.get("text") or one["data"]["text/plain"] + "\\n" for one in cell.outputs if one.get("name") != "stderr") for cell in notebook.cells]))
"""


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_schedulers_in_a_notebook(tmp_path):
    python = environment_with(tmp_path, "nbclient", "ipykernel")
    said, _ = run([python, "-c", RUN, json.dumps(CELLS)], cwd=tmp_path, timeout=300)
    for text, expected in zip(json.loads(said), SAID, strict=True):
        assert expected in text
