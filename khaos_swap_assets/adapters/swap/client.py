"""Sweeps over Swap's list of returns: all pages of one question, guarded against paging that lies.

Belongs here: questions, paging and its guards, the connection from settings. Stays out: what a row means (``wire``),
when to ask and how far back (``stages.returns``). Source: contracts/swap.md §1, §2, §9, §12.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from khaos_swap_assets.adapters import json_text
from khaos_swap_assets.adapters.errors import PermanentError, SettingsError, TransientError
from khaos_swap_assets.adapters.http import Http
from khaos_swap_assets.adapters.settings import LOOPBACK, SwapSettings
from khaos_swap_assets.adapters.settings_stores import prefix_of, variable
from khaos_swap_assets.adapters.swap import quality
from khaos_swap_assets.adapters.swap.raw import cleaned, content_hash
from khaos_swap_assets.adapters.swap.records import ReadReturn, RowFault
from khaos_swap_assets.adapters.swap.wire import read_row
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.records.returns import Return, ReturnLine
from khaos_swap_assets.domain.records.stores import bare

PATH = "/v2/external/returns"
MAX_PAGES = 10_000
MAX_BYTES = 10 * 1024 * 1024
HINTS = {
    401: "check {0}SWAP_API_KEY (a key belongs to one product and one environment)",
    403: "check {0}SWAP_API_KEY and {0}SWAP_STORE_ID",
    404: "check {0}SWAP_URL and {0}SWAP_STORE_ID",
}


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What one question gave: each return once (its newest row), rows at fault, and whether the list moved meanwhile.

    ``is_drifted`` is True when the list was still moving in the second reading: a return may be missing, so the
    watermark should not trust this sweep.
    """

    returns: tuple[ReadReturn, ...]
    faults: tuple[RowFault, ...]
    pages: int
    is_drifted: bool


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    rows: list[Any]
    has_next: bool
    total_pages: int
    total_items: int


@dataclass(frozen=True, slots=True)
class _Unwanted:
    """What is left of a row that nobody wants."""

    identity: str


class SwapClient:
    """Asks Swap for returns of one store; ``report_quality`` alone changes something.

    Every method raises ``VendorError`` when it fails.
    """

    def __init__(self, http: Http, settings: SwapSettings) -> None:
        self._http, self._settings = http, settings

    def changed_since(self, moment: datetime) -> SweepResult:
        """Returns updated at or after ``moment`` (aware); the caller subtracts its overlap."""
        return self._sweep({"last_RMA_updated_date": _iso(moment)})

    def submitted_since(self, moment: datetime) -> SweepResult:
        """Returns submitted at or after ``moment`` (aware); Swap holds this date only for later returns (§2.1)."""
        return self._sweep({"from_return_submission_date": _iso(moment)})

    def sample(self, moment: datetime, most_pages: int) -> tuple[ReadReturn, ...]:
        """Some of the returns updated at or after ``moment``: those of the first pages."""
        pages = self._pages({"last_RMA_updated_date": _iso(moment)}, most=most_pages)
        return self._result(pages, is_drifted=False).returns

    def whole(self, wanted: Callable[[Return], bool]) -> SweepResult:
        """Every return that Swap lists, of which those ``wanted`` are kept; rows at fault are told like any."""
        return self._sweep({}, wanted)

    def submitted_on(self, day: date) -> SweepResult:
        """Returns submitted on one UTC day."""
        return self._sweep(_submitted_within(day, day))

    def count_submitted(self, first: date, last: date) -> int | None:
        """How many returns Swap says were submitted from one UTC day to another; None where it does not say."""
        total = self._page(_submitted_within(first, last), 1, size=1).total_items
        return total if total >= 0 else None

    def by_rma(self, rma: str) -> SweepResult:
        """The returns of one RMA number; none is no proof that it was deleted (§7.2)."""
        return self._sweep({"rma_number": bare(self._settings.store, rma)})

    def report_quality(self, told: Inspection, line: ReturnLine, return_: Return) -> str:
        """Tell quality control one finding of the warehouse, once; Swap's words. Raises as ``quality.report`` does."""
        return quality.report(self._http, self._settings, told, line, return_)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def probe(self) -> str:
        """Read one row and say in plain words what works. Raises ``VendorError`` with what to correct."""
        page = self._page({}, 1, size=1)
        rows = [read_row(row, self._settings) for row in page.rows]
        faults = [row.reason for row in rows if isinstance(row, RowFault)]
        told = f"Swap answers for store {self._settings.store_id}: {page.total_items} returns in sight"
        return f"{told}, but the first one cannot be read: {faults[0]}" if faults else told

    def _sweep(self, question: dict[str, str], wanted: Callable[[Return], bool] | None = None) -> SweepResult:
        """All pages; once more, and both readings together, when the list moved while it was read."""
        pages = self._pages(question, wanted)
        if _is_drifted(pages):
            again = self._pages(question, wanted)
            return self._result([*pages, *again], is_drifted=_is_drifted(again))
        return self._result(pages, is_drifted=False)

    def _result(self, pages: list[_Page], *, is_drifted: bool) -> SweepResult:
        returns: dict[str, ReadReturn] = {}
        faults: dict[str, RowFault] = {}
        rows = (row for page in pages for row in page.rows if not isinstance(row, _Unwanted))
        for row in (read_row(row, self._settings) for row in rows):
            if isinstance(row, RowFault):
                faults[row.row_hash] = row
            else:
                returns[row.record.return_id] = _newer(row, returns.get(row.record.return_id))
        return SweepResult(tuple(returns.values()), tuple(faults.values()), len(pages), is_drifted)

    def _pages(
        self, question: dict[str, str], wanted: Callable[[Return], bool] | None = None, most: int = MAX_PAGES + 1
    ) -> list[_Page]:
        pages: list[_Page] = []
        seen: set[str] = set()
        while not pages or (pages[-1].has_next and len(pages) < most):
            page = self._page(question, len(pages) + 1)
            fingerprint = content_hash(page.rows)
            _guard(page, pages, is_repeated=fingerprint in seen)
            seen.add(fingerprint)
            pages.append(replace(page, rows=self._thinned(page.rows, wanted)) if wanted else page)
        return pages

    def _thinned(self, rows: list[Any], wanted: Callable[[Return], bool]) -> list[Any]:
        """The rows, those that nobody wants cut down to what tells them apart: a whole list must fit in memory."""
        read = [(row, read_row(row, self._settings)) for row in rows]
        return [
            row if isinstance(found, RowFault) or wanted(found.record) else _Unwanted(_identity(row))
            for row, found in read
        ]

    def _page(self, question: dict[str, str], number: int, size: int | None = None) -> _Page:
        asked = {
            "swap_store_id": self._settings.store_id,
            **question,
            "items_per_page": str(size or self._settings.page_size),
            "page": str(number),
        }
        query = urlencode(asked, safe="" if self._settings.encodes_colons else ":", quote_via=quote)
        try:
            answer = self._http.read("GET", f"{PATH}?{query}", check=lambda response: _require_json(response, number))
        except _CutOffError as error:
            raise PermanentError(str(error)) from None
        return _envelope(cleaned(json_text.tolerant(answer.content)), number)


class _CutOffError(TransientError):
    """The body is no whole JSON; worth asking again, and in the end a fault of the page."""


def connect(
    settings: SwapSettings,
    *,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> SwapClient:
    """Open the connection that the settings describe. Raises ``SettingsError`` naming each setting at fault."""
    _require_settings(settings)
    http = Http(
        settings.url,
        headers={"x-api-key": settings.api_key.get_secret_value(), "accept": "application/json"},
        timeout=settings.timeout_seconds,
        retries=settings.retries,
        rate=settings.requests_per_second,
        transport=transport,
        sleep=sleep,
        max_bytes=MAX_BYTES,
        hints={status: hint.format(prefix_of(settings.store)) for status, hint in HINTS.items()},
    )
    return SwapClient(http, settings)


def _require_settings(settings: SwapSettings) -> None:
    given = {"URL": settings.url, "API_KEY": settings.api_key.get_secret_value(), "STORE_ID": settings.store_id}
    prefix = variable(settings.store, "SWAP_")
    if missing := [f"{prefix}{name}" for name, value in given.items() if not value.strip()]:
        raise SettingsError(f"set {', '.join(missing)} to read returns from Swap")
    address = urlsplit(settings.url)
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        raise SettingsError(f"{prefix}URL must be https: over http anybody on the way could read the key")


def _require_json(answer: httpx.Response, number: int) -> None:
    try:
        json_text.tolerant(answer.content)
    except ValueError:
        raise _CutOffError(
            f"GET {PATH} page {number}: the answer is no whole JSON, {len(answer.content)} bytes"
        ) from None


def _envelope(body: Any, number: int) -> _Page:
    """The page as Swap describes it. Raises ``PermanentError`` for another shape: silence would lose returns."""
    rows = body.get("returns") if isinstance(body, dict) else None
    paging = body.get("pagination") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not isinstance(paging, dict):
        raise PermanentError(f"GET {PATH} page {number}: the answer holds no list of returns with its pagination")
    has_next = paging.get("has_next_page")
    if not isinstance(has_next, bool):
        raise PermanentError(f"GET {PATH} page {number}: has_next_page is neither true nor false")
    return _Page(
        number=number,
        rows=rows,
        has_next=has_next,
        total_pages=_count(paging, "total_pages"),
        total_items=_count(paging, "total_items"),
    )


def _count(paging: dict[str, Any], name: str) -> int:
    value = paging.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _guard(page: _Page, earlier: list[_Page], *, is_repeated: bool) -> None:
    """Stop a paging that cannot be true. Raises ``PermanentError`` with the page and what is wrong with it."""
    wrong = ""
    if page.number > MAX_PAGES:
        wrong = f"more than {MAX_PAGES} pages"
    elif page.has_next and not page.rows:
        wrong = "it is empty, yet more is said to follow"
    elif page.has_next and 0 <= page.total_pages <= page.number:
        wrong = f"more is said to follow, yet there are {page.total_pages} pages"
    elif page.rows and is_repeated and page.total_items == earlier[0].total_items:
        wrong = "it repeats an earlier page"
    if wrong:
        raise PermanentError(f"GET {PATH} page {page.number}: {wrong}; the sweep was stopped and nothing was taken")


def _is_drifted(pages: list[_Page]) -> bool:
    """Whether the list moved: another total on the way, or fewer different rows than the total says."""
    totals = {page.total_items for page in pages}
    different = {_identity(row) for page in pages for row in page.rows}
    return len(totals) > 1 or len(different) < max(totals)


def _identity(row: Any) -> str:
    if isinstance(row, _Unwanted):
        return row.identity
    return_id = row.get("return_id") if isinstance(row, dict) else None
    return f"id {return_id}" if isinstance(return_id, str) and return_id else content_hash(row)


def _newer(row: ReadReturn, other: ReadReturn | None) -> ReadReturn:
    """The row updated last; of two alike, the one read last."""
    if other is None or row.record.updated_at is None or other.record.updated_at is None:
        return row
    return other if other.record.updated_at > row.record.updated_at else row


def _submitted_within(first: date, last: date) -> dict[str, str]:
    return {
        "from_return_submission_date": f"{first.isoformat()}T00:00:00.000Z",
        "to_return_submission_date": f"{last.isoformat()}T23:59:59.999Z",
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
