"""Looking ahead, before parcels land: which open returns will fail, for which causes, and which codes come to that.

Belongs here: when to look how far, and bringing the causes and their exceptions up to date. Stays out: reading the
shop's variants (``storefront.sync``), finding (``adapters.store.return_causes``) and the words
(``judging.foreseen``). Each run looks at what its matches say of open returns, so that a cause closes with its proof;
once a night all VAT codes, all that was sold lately and all that the shop lists are looked at besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.store import Conn, findings, return_causes, worklist
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.foreseen import KIND, SOLD_DAYS, ReturnCause, problems_of
from khaos_swap_assets.domain.money.periods import london_date, night_has_passed
from khaos_swap_assets.stages import known, marks, stores
from khaos_swap_assets.stages.dossier import match_skus
from khaos_swap_assets.stages.toolbox import Toolbox

MOST_UNUSED = 1_000
"""Codes without a return yet that are told at once, those sold most first."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What one look found: open returns that will fail, the causes, and what the exceptions came to."""

    returns: int
    causes: Sequence[ReturnCause]
    is_nightly: bool
    opened: list[Problem]
    closed: int


def foresee(tools: Toolbox) -> Foreseen:
    """Bring the causes up to date; nothing closes while a mandatory source is refused."""
    now = tools.now()
    with tools.store() as conn:
        before = return_causes.known(conn)
        is_nightly = known.are_codes(conn) and night_has_passed(worklist.trusted(conn, marks.FORESEEN, now), now)
        has_vat = is_nightly or any(one.about == "VAT code" for one in before)
        found = return_causes.of_open_returns(conn, list(RATES), has_vat=has_vat)
        unused = _sold_or_listed(conn, now) if is_nightly else _still_wrong(conn, before)
        causes = list(_together(conn, found, unused))
        if {*causes} != {*before}:
            return_causes.replace(conn, causes, now)
        findings.replace_of_kinds(conn, [KIND], problems_of(causes), now)
        may_close = not stores.unseen(conn, tools.settings)[0]
        opened, closed = findings.open_and_close(conn, now, may_close=may_close, kinds=[KIND])
        if is_nightly:
            worklist.move(conn, marks.FORESEEN, now)
        returns = return_causes.count(conn, list(RATES), has_vat=has_vat)
        return Foreseen(
            returns=returns, causes=return_causes.known(conn), is_nightly=is_nightly, opened=opened, closed=closed
        )


def _sold_or_listed(conn: Conn, now: datetime) -> list[ReturnCause]:
    """Codes that were sold lately or are listed and are no live Stock Code, each with what it may stand for."""
    rows = return_causes.wrong_codes(conn, london_date(now - timedelta(days=SOLD_DAYS)), MOST_UNUSED)
    skus = match_skus(conn, [code for code, _, _ in rows])
    return [
        ReturnCause(
            about="SKU", code=code, kind=skus[code].problem, suggestion=skus[code].suggestion, sold=sold, listed=listed
        )
        for code, sold, listed in rows
        if skus[code].problem
    ]


def _still_wrong(conn: Conn, before: Sequence[ReturnCause]) -> list[ReturnCause]:
    """Those of last night's that Khaos does not show as live since."""
    told = [one for one in before if one.sold or one.listed]
    wrong = return_causes.still_wrong(conn, [one.code for one in told])
    return [replace(one, returns=0, rmas=()) for one in told if one.code in wrong]


def _together(conn: Conn, found: Sequence[ReturnCause], unused: Sequence[ReturnCause]) -> Iterator[ReturnCause]:
    """Each cause once. A code without an open return is left out where an exception of a return tells of it already."""
    beside = {one.key: one for one in unused}
    for one in found:
        more = beside.pop(one.key, one)
        yield replace(one, sold=more.sold, listed=more.listed)
    told = return_causes.told_of_returns(conn, [one.code for one in beside.values()])
    yield from (one for one in beside.values() if one.code not in told)
