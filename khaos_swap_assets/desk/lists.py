"""The pages with lists: where everything waits, one queue page by page, and what a search found.

Belongs here: what these pages ask and show. Stays out: the reads (``adapters.store.desk_lists``) and the order
(``domain.desk.queues``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import desk_decisions, desk_lists, exceptions, monthly
from khaos_swap_assets.adapters.store.desk_lists import OwnerSum, Place, QueueFilter, QueueRow
from khaos_swap_assets.desk.pages import RefusedError, render, require, summed
from khaos_swap_assets.desk.queue_acts import ACTS
from khaos_swap_assets.desk.reach import Conn, DeskReach, as_of
from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.domain.desk.queues import OWNERS, act_by, in_address, queues_of
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.money.amounts import count_words
from khaos_swap_assets.domain.money.periods import london_month, month_bounds
from khaos_swap_assets.domain.reporting.month_open import SKU_KINDS, blocking
from khaos_swap_assets.stages import watching

ON_A_PAGE = 50
MOST_FOUND = 200
MOST_CAUSES = 10
MOST_WORD = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALL = "all"
PLACE = re.compile(r"(-?\d{1,17})\.(\d{1,18})", re.ASCII)


def start(reach: DeskReach, request: Request) -> Response:
    """Every queue with what is open in it, the member's own first, and what blocks the month."""
    member, now = require(request, "see"), reach.clock()
    own = queues_of(member)
    with reach.store() as conn:
        sums, read = desk_lists.sums(conn, QueueFilter(), now), as_of(conn, now)
        asked_for = desk_decisions.asked(conn, MOST_FOUND)
        waits = any(one.owner in own for one in sums)
        held_up = () if waits else held_up_by(conn, sums, now)
    owners = sorted(OWNERS, key=lambda owner: (owner not in own, OWNERS.index(owner)))
    queues = [(owner, [one for one in sums if one.owner == owner]) for owner in owners]
    shown = [(owner, some, summed((one.pence, one.currency) for one in some)) for owner, some in queues]
    return render(
        request,
        "start.html",
        own=own,
        queues=shown,
        waits=waits,
        held_up=held_up,
        is_old=read.judged_at is None or now - read.judged_at > watching.STALE_AFTER,
        read=read,
        asked=asked_for,
    )


def held_up_by(conn: Conn, sums: Sequence[OwnerSum], now: datetime) -> Sequence[str]:
    """What blocks a month, and with whom: open errors; where there are none, months that are over and red."""
    errors = [one for one in sums if one.errors]
    if errors:
        return [
            f"{one.owner}: {count_words(one.errors, 'error')}, {summed([(one.error_pence, one.currency)])}"
            for one in errors
        ]
    this = london_month(now)
    red = {period: blocking(monthly.apart(conn, period), this) for period in monthly.unsigned(conn, this)}
    return [
        f"{period}: {count_words(len(rows), 'return')} apart, {rows[0].rma} first"
        for period, rows in red.items()
        if rows
    ]


def queue(reach: DeskReach, request: Request) -> Response:
    """One queue, or all of them, the most urgent first, a page at a time."""
    member, now = require(request, "see"), reach.clock()
    wanted = wanted_by(request, member, reach.settings)
    with reach.store() as conn:
        rows = desk_lists.page(conn, wanted, place_asked(request), ON_A_PAGE + 1, now)
        sums = desk_lists.sums(conn, replace(wanted, shows="both"), now)
        put_off = desk_lists.put_off(conn, wanted, now)
        kinds, read = desk_lists.kinds_open(conn, wanted.owner), as_of(conn, now)
        own = [kind for kind in SKU_KINDS if KINDS[kind].owner == wanted.owner]
        causes = exceptions.sku_causes(conn, own, MOST_CAUSES) if own and is_first(request) else []
    shown = rows[:ON_A_PAGE]
    told = asked(wanted, reach.settings)
    further = urlencode({**told, "after": written(shown[-1].place)}) if len(rows) > ON_A_PAGE else ""
    return render(
        request,
        "queue.html",
        wanted=wanted,
        rows=with_deadline(shown),
        total=sum(one.count for one in sums),
        put_off=put_off,
        acts=[(name, act.title) for name, act in ACTS.items() if member.may(act.may)],
        all_picked=request.query_params.get("pick") == "page",
        here=urlencode([pair for pair in request.query_params.multi_items() if pair[0] != "pick"]),
        at_risk=summed((one.pence, one.currency) for one in sums),
        kinds=kinds,
        read=read,
        now=now,
        further=further,
        first=urlencode(told),
        is_first=is_first(request),
        causes=causes,
        address=in_address(wanted.owner) if wanted.owner else ALL,
        months=months_before(now),
        stores=list(reach.settings.store_names) if reach.settings.has_several_stores else [],
        store=told.get("store", ""),
    )


def is_first(request: Request) -> bool:
    """Whether the beginning of a queue is asked for."""
    return "after" not in request.query_params


def search(reach: DeskReach, request: Request) -> Response:
    """What a word finds: open exceptions and returns; one return without exceptions is shown at once."""
    require(request, "see")
    word, now = request.query_params.get("q", "").strip(), reach.clock()
    if len(word) > MOST_WORD:
        raise RefusedError(400, "That is too long to search for.", f"Give at most {MOST_WORD} characters.")
    with reach.store() as conn:
        rows = desk_lists.search(conn, word, MOST_FOUND + 1)
        found, read = desk_lists.returns_of(conn, word, MOST_FOUND + 1), as_of(conn, now)
    if len(found) == 1 and not rows:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/returns/{quote(found[0].rma, safe='')}", 303)
    shown = with_deadline(rows[:MOST_FOUND])
    most = MOST_FOUND if max(len(rows), len(found)) > MOST_FOUND else 0
    return render(
        request, "search.html", word=word, rows=shown, found=found[:MOST_FOUND], most=most, read=read, now=now
    )


def with_deadline(rows: Sequence[QueueRow]) -> list[tuple[QueueRow, datetime]]:
    """Rows with the moment by which each asks for somebody."""
    return [(row, act_by(row.kind, row.opened_at)) for row in rows]


def asked(wanted: QueueFilter, settings: Settings) -> dict[str, str]:
    """The filters that are set, as an address has them."""
    store = "" if wanted.store is None else settings.name_of(wanted.store)
    shows = "" if wanted.shows == "now" else wanted.shows
    mine = wanted.hands and "yes"
    told = (("kind", wanted.kind), ("month", wanted.period), ("store", store), ("mine", mine), ("shows", shows))
    return {name: value for name, value in told if value}


def wanted_by(request: Request, member: Member, settings: Settings) -> QueueFilter:
    """What a queue is asked for; without a word on it, what is put off is left out. Raises ``RefusedError``."""
    return QueueFilter(
        owner=owner_named(request.path_params["owner"]),
        kind=kind_asked(request),
        period=month_asked(request),
        hands=member.name if request.query_params.get("mine") else "",
        shows="put off" if request.query_params.get("shows") == "put off" else "now",
        store=store_asked(request, settings),
    )


def store_asked(request: Request, settings: Settings) -> str | None:
    """The store to filter by, as our tables have it, or None. Raises ``RefusedError`` for one that is not ours."""
    name = request.query_params.get("store", "")
    if name and name not in settings.store_names:
        raise RefusedError(400, "There is no such store.", f"There are {', '.join(settings.store_names)}.")
    return settings.store_names.get(name)


def owner_named(text: str) -> str:
    """The owner of a queue's address; empty for all. Raises ``RefusedError``."""
    found: dict[str, str] = {in_address(owner): owner for owner in OWNERS}
    if text != ALL and text not in found:
        raise RefusedError(404, "There is no such queue.", f"There are {', '.join((*found, ALL))}.")
    return found.get(text, "")


def kind_asked(request: Request) -> str:
    """The kind to filter by, or empty. Raises ``RefusedError`` for one that is not in the catalogue."""
    kind = request.query_params.get("kind", "")
    if kind and kind not in KINDS:
        raise RefusedError(400, "There is no such kind of exception.", "Choose one from the list above the queue.")
    return kind


def month_asked(request: Request) -> str:
    """The month to filter by, or empty. Raises ``RefusedError`` for what is no month."""
    month = request.query_params.get("month", "")
    try:
        if month:
            month_bounds(month)
    except ValueError:
        raise RefusedError(400, "That is no month.", "Write it as 2026-03.") from None
    return month


def place_asked(request: Request) -> Place | None:
    """After which row the page begins; None for the first. Raises ``RefusedError`` for what no page wrote."""
    text = request.query_params.get("after", "")
    found = PLACE.fullmatch(text)
    if text and not found:
        raise RefusedError(400, "That page does not exist.", "Go back to the queue and follow its links.")
    try:
        return (EPOCH + timedelta(microseconds=int(found[1])), int(found[2])) if found else None
    except OverflowError:
        raise RefusedError(400, "That page does not exist.", "Go back to the queue and follow its links.") from None


def written(place: Place) -> str:
    """A place as an address has it: microseconds and id."""
    return f"{(place[0] - EPOCH) // timedelta(microseconds=1)}.{place[1]}"


def months_before(now: datetime) -> list[str]:
    """The twelve months up to this one, the newest first."""
    year, month = map(int, london_month(now).split("-"))
    return [f"{year - (back - month + 12) // 12:04}-{(month - back - 1) % 12 + 1:02}" for back in range(12)]
