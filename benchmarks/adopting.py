"""How long it takes to adopt jobs that APScheduler has stored: ``python -m benchmarks.adopting [COUNT] URL…``.

Each URL is of an empty database of SQLite, PostgreSQL or MySQL, of a Redis, or of a MongoDB. APScheduler 3.11.3 writes the jobs, in an environment of its
own (``scripts/install_apschedulers.sh``).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
MOVING = CHECKOUT / "tests" / "moving"
sys.path.insert(0, str(MOVING))

import mainspring  # noqa: E402 - after the path


def write(url: str, count: int) -> None:
    """Have APScheduler write jobs, some of each kind and `count` plain ones."""
    gone = MOVING / "__pycache__" / "gone"
    gone.mkdir(parents=True, exist_ok=True)
    (gone / "gone.py").write_text("def function(): pass\n")
    python = CHECKOUT / ".apscheduler-venvs" / "3.11.3" / "bin" / "python"
    subprocess.run(
        [python, "-W", "ignore", MOVING / "write_old_jobs.py", url, str(count)],
        env={**os.environ, "PYTHONPATH": str(MOVING), "GONE": str(gone)},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def store_at(url: str) -> Any:
    """A store that finds the jobs."""
    options: dict[str, Any] = {"adopt": "always", "serializer": "pickle"}
    if url.startswith("redis"):
        return mainspring.RedisJobStore(url=url, **options)
    if url.startswith("mongodb"):
        return mainspring.MongoDBJobStore(host=url, **options)
    return mainspring.SQLAlchemyJobStore(url.replace("+psycopg2", "+psycopg"), **options)


def started(url: str) -> tuple[float, int]:
    """Seconds that a start takes, and how many jobs are there."""
    scheduler = mainspring.BackgroundScheduler(jobstores={"default": store_at(url)}, timezone="UTC")
    began = time.perf_counter()
    scheduler.start(paused=True)
    took = time.perf_counter() - began
    count = len(scheduler.get_jobs())
    scheduler.shutdown()
    return took, count


def main() -> None:
    """Write, adopt, and start again."""
    if len(sys.argv) == 1:
        raise SystemExit(__doc__)
    count, *urls = sys.argv[1:] if sys.argv[1].isdigit() else ["10000", *sys.argv[1:]]
    for url in urls:
        write(url, int(count))
        first, there = started(url)
        again, still = started(url)
        assert there == still >= int(count)
        print(
            f"{url.partition(':')[0]}: {there} jobs adopted in {first:.1f} s; a start after that takes {again:.2f} s"
        )


if __name__ == "__main__":
    main()
