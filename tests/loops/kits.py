"""Each kind of scheduler with its real loop, which runs on the main thread while a scenario drives it from another."""

from __future__ import annotations

import asyncio
import collections
import gc
import os
import queue
import sys
import threading
import traceback
from concurrent.futures import Future

#: Whether threads are greenlets; set before anything else is imported.
PATCHED = os.environ.get("LOOP_KIND") == "gevent-patched"


class Kit:
    """One kind.

    Attributes:
        loop_thread: the identifier of the loop's thread.
        has_loop: whether jobs and listeners have a loop to be on.
        cancels: whether what runs can be cancelled.
    """

    scheduler_class: type
    has_loop = True
    cancels = True
    native_coroutines = True

    def __init__(self):
        self.loop_thread = None
        self.ended = threading.Event()

    def make(self, **options):
        return self.scheduler_class(timezone="UTC", **options)

    def start(self, scheduler, paused=False):
        self.on_loop(lambda: scheduler.start(paused))

    def stop(self, scheduler, **options):
        scheduler.shutdown(**options)

    def tasks(self):
        """What runs on the loop."""
        return set()

    def wait(self, event):
        """In a job: wait until `event` is set."""
        assert event.wait(20)

    def post(self, function):
        """Have `function` called on the loop, which is elsewhere."""
        raise NotImplementedError

    def later(self, seconds, function):
        """On the loop: call `function` after a time."""
        raise NotImplementedError

    def run(self, begun):
        """Run the loop until `quit`; `begun` is called when others may post."""
        raise NotImplementedError

    def quit(self):
        """End the loop; called on it."""
        raise NotImplementedError

    def on_loop(self, function):
        """The result of `function`, called on the loop."""
        future = Future()

        def call():
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self.post(call)
        return future.result(20)


class Blocking(Kit):
    has_loop = cancels = False

    def __init__(self):
        from mainspring.schedulers.blocking import BlockingScheduler

        super().__init__()
        self.scheduler_class = BlockingScheduler
        self.posted = queue.SimpleQueue()

    def start(self, scheduler, paused=False):
        from mainspring.events import EVENT_SCHEDULER_START

        started = threading.Event()
        scheduler.add_listener(lambda event: started.set(), EVENT_SCHEDULER_START)
        self.posted.put(lambda: scheduler.start(paused))
        assert started.wait(30)

    def on_loop(self, function):
        return function()

    def run(self, begun):
        begun()
        while (work := self.posted.get()) is not None:
            work()

    def quit(self):
        self.posted.put(None)

    def post(self, function):
        function()


class Background(Blocking):
    def __init__(self):
        from mainspring.schedulers.background import BackgroundScheduler

        super().__init__()
        self.scheduler_class = BackgroundScheduler


class AsyncIO(Kit):
    def __init__(self):
        from mainspring.schedulers.asyncio import AsyncIOScheduler

        super().__init__()
        self.scheduler_class = AsyncIOScheduler

    def run(self, begun):
        asyncio.run(self._main(begun))

    async def _main(self, begun):
        self.loop = asyncio.get_running_loop()
        self.over = asyncio.Event()
        begun()
        await self.over.wait()

    def quit(self):
        self.over.set()

    def post(self, function):
        self.loop.call_soon_threadsafe(function)

    def later(self, seconds, function):
        self.loop.call_later(seconds, function)

    def tasks(self):
        return self.on_loop(asyncio.all_tasks)


class UVLoop(AsyncIO):
    def run(self, begun):
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._main(begun))


class Tornado(Kit):
    def __init__(self):
        from tornado.ioloop import IOLoop

        from mainspring.schedulers.tornado import TornadoScheduler

        super().__init__()
        self.scheduler_class = TornadoScheduler
        self.loop = IOLoop()
        self.loop.make_current()

    def run(self, begun):
        self.loop.add_callback(begun)
        self.loop.start()
        self.loop.close()

    def quit(self):
        self.loop.stop()

    def post(self, function):
        self.loop.add_callback(function)

    def later(self, seconds, function):
        self.loop.call_later(seconds, function)


class Gevent(Kit):
    native_coroutines = False

    def __init__(self):
        import gevent

        from mainspring.schedulers.gevent import GeventScheduler

        super().__init__()
        self.scheduler_class = GeventScheduler
        self.gevent = gevent
        self.hub = gevent.get_hub()

    def run(self, begun):
        from gevent.event import Event

        self.over = Event()
        begun()
        # A program does something; a hub with nothing to do would say that it is blocked for ever.
        while not self.over.wait(0.5):
            pass

    def quit(self):
        self.over.set()

    def wait(self, event):
        while not event.is_set():
            self.gevent.sleep(0.001)

    def tasks(self):
        def undead():
            objects = (each for each in gc.get_objects() if isinstance(each, self.gevent.Greenlet))
            return {each for each in objects if not each.dead and each is not self.gevent.getcurrent()}

        return self.on_loop(undead)

    def post(self, function):
        self.hub.loop.run_callback_threadsafe(self.gevent.spawn, function)

    def later(self, seconds, function):
        self.gevent.spawn_later(seconds, function)


class Twisted(Kit):
    def __init__(self, asyncio_reactor=False):
        if asyncio_reactor:
            from twisted.internet import asyncioreactor

            asyncioreactor.install(asyncio.new_event_loop())
        from twisted.internet import reactor

        from mainspring.schedulers.twisted import TwistedScheduler

        super().__init__()
        self.scheduler_class = TwistedScheduler
        self.reactor = reactor

    def run(self, begun):
        self.reactor.callWhenRunning(begun)
        self.reactor.run(installSignalHandlers=False)

    def quit(self):
        self.reactor.stop()

    def post(self, function):
        self.reactor.callFromThread(function)

    def later(self, seconds, function):
        self.reactor.callLater(seconds, function)


class Qt(Kit):
    native_coroutines = cancels = False

    def __init__(self, binding):
        from importlib import import_module

        core = self.core = import_module(f"{binding}.QtCore")
        kind = core.QEvent.Type(core.QEvent.registerEventType())
        functions = self.functions = collections.deque()
        self.event = lambda: core.QEvent(kind)

        class Poster(core.QObject):
            def event(self, event):
                if event.type() != kind:
                    return super().event(event)
                functions.popleft()()
                return True

        self.application = core.QCoreApplication([])
        from mainspring.schedulers import qt

        assert qt.QtCore is core, "the scheduler uses another binding than the program"
        super().__init__()
        self.scheduler_class = qt.QtScheduler
        self.poster = Poster()
        self.timers = []

    def run(self, begun):
        self.post(begun)
        self.application.exec()

    def quit(self):
        self.application.quit()

    def post(self, function):
        self.functions.append(function)
        self.core.QCoreApplication.postEvent(self.poster, self.event())

    def later(self, seconds, function):
        timer = self.core.QTimer()
        timer.setSingleShot(True)
        timer.setTimerType(self.core.Qt.TimerType.PreciseTimer)
        timer.timeout.connect(function)
        timer.start(round(seconds * 1000))
        self.timers = [one for one in self.timers if one.isActive()] + [timer]


KINDS = {
    "blocking": Blocking,
    "background": Background,
    "asyncio": AsyncIO,
    "asyncio-uvloop": UVLoop,
    "tornado": Tornado,
    "gevent": Gevent,
    "gevent-patched": Gevent,
    "twisted": Twisted,
    "twisted-asyncio": lambda: Twisted(asyncio_reactor=True),
    "qt-pyside6": lambda: Qt("PySide6"),
    "qt-pyqt6": lambda: Qt("PyQt6"),
}


def drive(kind, scenario):
    """Run the loop of a kind on this thread, and `scenario` beside it; the exit status."""
    kit = KINDS[kind]()
    failed = []

    def run():
        try:
            scenario(kit)
        except BaseException:
            traceback.print_exc()
            failed.append(True)
        finally:
            sys.stderr.flush()
            sys.stdout.flush()
            kit.post(kit.quit)

    def begun():
        kit.loop_thread = thread_id()
        threading.Thread(target=run, name="scenario").start()

    kit.run(begun)
    return int(bool(failed))


def thread_id():
    """Of the system's thread, also where threads are greenlets."""
    return threading.get_native_id()
