"""What is to be done about a job, decided and not done.

Nothing in this package reads a clock, takes a lock, touches a store, logs, starts a thread or draws a random number:
the time and the counts come in, a `Decision` goes out, and the schedulers and stores carry it out. So each rule is
written once, and is tested without threads, sleeps or stand-ins.
"""
