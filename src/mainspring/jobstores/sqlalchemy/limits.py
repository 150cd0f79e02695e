"""How long a database may take over what the store asks of it."""

#: Seconds that one statement may take before the database gives it up.
STATEMENT_TIMEOUT = 30
#: Seconds that a transaction may wait for its next statement before the server undoes it: nobody waits for longer for what a node has
#: locked that was stopped in the middle, or that the network was cut off from. As long as a claim may take that asks slow triggers.
IDLE_TIMEOUT = 30
