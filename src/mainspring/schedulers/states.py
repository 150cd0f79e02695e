"""The states of a scheduler."""

STATE_STOPPED = 0
STATE_RUNNING = 1
STATE_PAUSED = 2
#: It runs, or is paused, in the process that this one was forked from. Its job stores can be asked here.
STATE_FORKED = 3
#: It looks into job stores that others run, and runs nothing.
STATE_ATTACHED = 4

STATE_NAMES = {
    STATE_STOPPED: "stopped",
    STATE_RUNNING: "running",
    STATE_PAUSED: "paused",
    STATE_FORKED: "forked",
    STATE_ATTACHED: "attached",
}
