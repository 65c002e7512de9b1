"""What a caller does beside the running children, and how it ended.

Belongs here: a thread and its outcome. Stays out: the children (``supervisor``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Errand:
    """The caller's own task beside the children, and how it ended."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._code = 0
        self._error: BaseException | None = None

    def start(self, work: Callable[[], int]) -> None:
        """Begin it, in a thread."""
        self._thread = threading.Thread(target=self._do, args=(work,), daemon=True, name="work")
        self._thread.start()

    def is_done(self) -> bool:
        """Whether it was begun and has ended."""
        return self._thread is not None and not self._thread.is_alive()

    def result(self) -> int:
        """Its exit code, 0 where it did not end; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._code

    def _do(self, work: Callable[[], int]) -> None:
        try:
            self._code = work()
        except BaseException as error:  # carried over to the caller's thread
            self._error = error
