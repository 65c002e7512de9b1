"""A pytest plugin: ``--processes=4`` shares the tests over four processes that are forked once all is collected.

Belongs here: handing out files of tests, and telling their reports as if there were one process. Stays out: which
tests there are, and their order (``conftest``). To load and collect the suite takes eight seconds of a core, which
processes of their own (``-n``) would each spend again.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from multiprocessing.connection import Connection, wait
from typing import Any

import pytest

FORK = multiprocessing.get_context("fork")
Items = Sequence[pytest.Item]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say that there is such an option."""
    parser.addoption("--processes", type=int, default=0, help="share the tests over so many forked processes")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Share the tests, unless there is nothing to share; what could not be collected is told by pytest itself."""
    number, option = session.config.option.processes, session.config.option
    if not number or option.collectonly or (session.testsfailed and not option.continue_on_collection_errors):
        return None
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    left: Items = session.items
    while left and not session.shouldfail and not session.shouldstop:
        told = Shared(session, left).run(number)
        left = [item for item in left if item not in told]
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
    return True


class Shared:
    """One round of tests: a counter says which file comes next, each process takes the next one when it is free."""

    def __init__(self, session: pytest.Session, items: Items) -> None:
        self._session = session
        self._items = items
        self._files: list[Items] = [list(some) for _, some in groupby(items, lambda item: item.path)]
        self._taken = FORK.Value("i", 0)
        self._now: dict[Connection, pytest.Item | None] = {}
        self._begun: set[pytest.Item] = set()

    def run(self, number: int) -> set[pytest.Item]:
        """Tell each report as it comes; a process that dies is a failure of its test. Gives the tests that began."""
        self._now = dict.fromkeys([self._start() for _ in range(number)])
        while self._now:
            for one in wait(list(self._now)):
                assert isinstance(one, Connection)
                try:
                    self._hear(one, *one.recv())
                except EOFError:
                    self._lost(one)
            if self._session.shouldfail or self._session.shouldstop:
                self._taken.value = len(self._files)
        return self._begun

    def _start(self) -> Connection:
        ours, theirs = FORK.Pipe()
        FORK.Process(target=self._work, args=(theirs, ours), daemon=False).start()
        theirs.close()
        return ours

    def _hear(self, one: Connection, what: str, told: Any) -> None:
        hook, config = self._session.config.hook, self._session.config
        if what == "begins":
            self._now[one] = self._items[told]
            self._begun.add(self._items[told])
        elif what == "report":
            hook.pytest_runtest_logreport(report=hook.pytest_report_from_serializable(config=config, data=told))
        else:
            del self._now[one]

    def _lost(self, one: Connection) -> None:
        item = self._now.pop(one)
        assert item is not None, "a process of the tests died before its first test"
        said = f"the process died in {item.nodeid}"
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", said, "call")
        self._session.config.hook.pytest_runtest_logreport(report=report)

    def _take(self) -> Items:
        with self._taken.get_lock():
            self._taken.value += 1
            return self._files[self._taken.value - 1] if self._taken.value <= len(self._files) else ()

    def _mine(self) -> Iterator[pytest.Item]:
        while file := self._take():
            yield from file

    def _work(self, parent: Connection, of_the_parent: Connection) -> None:
        """In the forked process: run tests until none is left, then end as a program does that was asked to."""
        of_the_parent.close()
        try:
            self._run_mine(parent)
        except (KeyboardInterrupt, BrokenPipeError):
            os.write(2, b"a process of the tests was interrupted\n")
        finally:
            atexit._run_exitfuncs()
            parent.close()
            os._exit(0)

    def _run_mine(self, parent: Connection) -> None:
        numbers = {id(one): at for at, one in enumerate(self._items)}
        manager = self._session.config.pluginmanager
        manager.unregister(name="terminalreporter")
        manager.register(Relay(self._session.config, parent))
        capture: Any = manager.getplugin("capturemanager")
        capture.stop_global_capturing()
        capture.start_global_capturing()
        mine = self._mine()
        item = next(mine, None)
        while item is not None:
            following = next(mine, None)
            parent.send(("begins", numbers[id(item)]))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            item = following
        parent.send(("ends", None))


class Relay:
    """Sends the reports of a forked process home."""

    def __init__(self, config: pytest.Config, parent: Connection) -> None:
        self._config = config
        self._parent = parent

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test has ended."""
        told = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._parent.send(("report", told))
