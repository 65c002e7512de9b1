"""Doing something from time to time beside other work.

Belongs here: the thread and its end. Stays out: what is done, which tells its own faults.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeated(do: Callable[[], None], seconds: float, name: str) -> Iterator[None]:
    """Do it every so many seconds, in a thread of this name, until the block ends."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(seconds):
            do()

    thread = threading.Thread(target=go_on, daemon=True, name=name)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
