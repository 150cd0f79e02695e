"""The states of a scheduler."""

STATE_STOPPED = 0
STATE_RUNNING = 1
STATE_PAUSED = 2

STATE_NAMES = {STATE_STOPPED: "stopped", STATE_RUNNING: "running", STATE_PAUSED: "paused"}
