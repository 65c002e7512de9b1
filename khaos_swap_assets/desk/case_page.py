"""The page of one exception: what happened, what it means, its evidence side by side, and what may be done.

Belongs here: what the page asks and shows. Stays out: the evidence itself (``stages.casework.evidence``).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from khaos_swap_assets.adapters.store import desk_decisions
from khaos_swap_assets.adapters.store.desk_case import CaseRow
from khaos_swap_assets.desk import case_acts
from khaos_swap_assets.desk.pages import render, require
from khaos_swap_assets.desk.queue_acts import ACTS
from khaos_swap_assets.desk.reach import DeskReach, as_of
from khaos_swap_assets.desk.record import PERMISSION
from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.domain.desk.queues import act_by
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.reporting.refund_story import SIDES
from khaos_swap_assets.stages.casework.evidence import evidence_of


def show(reach: DeskReach, request: Request) -> Response:
    """One exception."""
    member = require(request, "see")
    now = reach.clock()
    with reach.store() as conn:
        row = case_acts.case_named(conn, request)
        evidence, read = evidence_of(conn, reach.settings, reach.policy, row), as_of(conn, now)
        decidable = list(case_acts.offered(conn, member, row, evidence))
        record = desk_decisions.of_case(conn, row)
    return render(
        request,
        "case.html",
        row=row,
        kind=KINDS[row.kind],
        evidence=evidence,
        sides=SIDES,
        record=record,
        acts=[*acts_of(member, row), *decidable],
        may_back={name for name, act in PERMISSION.items() if member.may(act)},
        due=act_by(row.kind, row.opened_at),
        read=read,
        now=now,
    )


def acts_of(member: Member, row: CaseRow) -> list[tuple[str, str]]:
    """(address, title) of what a member may do to an open exception."""
    if row.closed_at is not None:
        return []
    return [(f"/acts/{name}?id={row.exception_id}", act.title) for name, act in ACTS.items() if member.may(act.may)]
