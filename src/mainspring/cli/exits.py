"""The exit codes of the command line; `docs/cli.md` has the table."""

#: What was asked for can't be done; the error says why. (click's own code for a wrong call is 2.)
FAILED = 1
#: It was done, and something was found that somebody should look at.
FOUND_PROBLEMS = 3
#: A run that was waited for has ended otherwise than well.
RUN_FAILED = 4
#: By Ctrl-C, as shells have it.
INTERRUPTED = 130
