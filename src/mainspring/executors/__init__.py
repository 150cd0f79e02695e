"""What runs the functions of jobs: threads, processes, event loops.

A scheduler hands an executor a `Submission` and a reporter. For each due time the executor tells the reporter that the run has begun, calls
the function, and tells what became of it; in the end it says that the submission is done. It takes all that a function may do: raise, exit,
return something that can't be kept, never end. What an executor may ask of its scheduler is `host.py`.

Start at `run.py`: `perform` is what a worker does. `native.py` is what our executors share, `pool.py` and `processes.py` have the workers, and
`event_loop.py` runs coroutines. `base.py` and `by_function.py` are APScheduler's interface, by which third parties' executors work.
"""
