"""Telling people: Slack, Teams, e-mail or whatever apprise reaches.

Belongs here: sending a text to the configured addresses. Stays out: when and what to tell. A failed alert is a log
line and never stops the work; its text names no address, since addresses hold secrets.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.domain.exceptions.catalogue import Problem

log = logging.getLogger(__name__)
FAILURES_SEEN = "alerts/failed_runs"
"""The watermark that says when somebody last looked for failed runs."""
QUIET = timedelta(minutes=10)
"""So long after a message nothing more of its kind is sent; what came meanwhile is one message with its count."""


def send(settings: Settings, title: str, body: str) -> bool:
    """Send to every address of ``KHAOS_SWAP_ALERT_URLS``; False when there is none or one did not take it."""
    urls = addresses(settings)
    if not urls:
        return False
    with _library() as library:
        channel = library.Apprise()
        known = [channel.add(url) for url in urls]
        is_known, is_sent = all(known), bool(channel.notify(title=title, body=body))
    if not (is_known and is_sent):
        log.warning("an alert could not be sent to every address of KHAOS_SWAP_ALERT_URLS: %s", title)
    return is_known and is_sent


def addresses(settings: Settings) -> list[str]:
    """The addresses as they are set."""
    return [url.strip() for url in settings.alert_urls.get_secret_value().split(",") if url.strip()]


def unknown_addresses(settings: Settings) -> list[int]:
    """Places, from 1, of the addresses that name no service."""
    urls = addresses(settings)
    if not urls:
        return []
    with _library() as library:
        return [number for number, url in enumerate(urls, 1) if library.Apprise.instantiate(url) is None]


@contextmanager
def _library() -> Iterator[Any]:
    """Apprise. Its log would show addresses; it loads its parts at first use, and these warn about other libraries."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import apprise

        yield apprise


def send_problems(settings: Settings, problems: Sequence[Problem]) -> int:
    """One message a SKU or other subject, with the RMAs that wait for it; how many were sent."""
    by_sku: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        what = problem.sku if problem.kind.startswith("sku_") else problem.subject
        by_sku.setdefault((problem.kind, what), []).append(problem)
    sent = 0
    for (kind, about), some in sorted(by_sku.items()):
        rmas = ", ".join(sorted({problem.rma for problem in some} - {""}))
        waiting = f"\nWaiting: {rmas}" if rmas else ""
        hint = f"\nPerhaps: {some[0].suggestion}" if some[0].suggestion else ""
        sent += send(
            settings, f"{kind}: {about or '(empty SKU)'}", f"{some[0].message}{waiting}{hint}\n{some[0].action}"
        )
    return sent


@dataclass(frozen=True)
class Bell:
    """Alerts of the house itself. ``memory`` is a file, since a house that falls again and again tells it once."""

    settings: Settings
    memory: Path

    def ring(self, title: str, body: str, now: datetime | None = None) -> bool:
        """Send, unless the same title was sent a moment ago: then it is counted, and told with the next; was it sent?

        A memory that cannot be read or written keeps nothing back.
        """
        now = now or datetime.now(UTC)
        known = self._read()
        told_at, untold = known.get(title, (0, 0))
        may_tell = now.timestamp() - told_at >= QUIET.total_seconds()
        if may_tell:
            since = (
                f"\n{untold + 1} times since {datetime.fromtimestamp(told_at, UTC):%d %B, %H:%M} UTC" if untold else ""
            )
            may_tell = send(self.settings, f"Khaos Swap: {title}", f"{body}{since}")
        known[title] = (int(now.timestamp()), 0) if may_tell else (told_at, untold + 1)
        with suppress(OSError):
            self.memory.write_text(json.dumps(known))
        return may_tell

    def _read(self) -> dict[str, tuple[int, int]]:
        with suppress(OSError, ValueError, TypeError):
            return {title: (int(at), int(count)) for title, (at, count) in json.loads(self.memory.read_text()).items()}
        return {}
