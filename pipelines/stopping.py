"""Whether this process was asked to stop.

Python's own answer, an exception in whatever runs just then, is lost where a library is in the middle of a statement
and turns it into an error of its own: the request is noted beside it.
"""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

STOPPED = "Stopped. The last good state stays; run again when you like."
_STOPS = {signal.SIGINT, signal.SIGTERM}
_heard: socket.socket | None = None
_asked = False


@contextmanager
def listening() -> Iterator[None]:
    """Note requests to stop until the end of the block, and forget older ones; a block within another changes nothing.
    Only a process's main thread is ever asked.
    """
    global _heard, _asked
    if _heard is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    _asked = False
    _heard, tell = socket.socketpair()
    _heard.setblocking(False)
    tell.setblocking(False)
    before = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        stop_asked()
        signal.set_wakeup_fd(before)
        _heard.close()
        tell.close()
        _heard = None


def stop_asked() -> bool:
    """Whether a request came since listening began, or in the last block of it."""
    global _asked
    if _heard is not None:
        with suppress(BlockingIOError):
            _asked |= bool(_STOPS.intersection(_heard.recv(4096)))
    return _asked
