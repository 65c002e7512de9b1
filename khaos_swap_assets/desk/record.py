"""The pages of what was decided: waivers that wait for a second person, granting one, and taking any decision back.

Belongs here: who may, and what is said before. Stays out: the acts (``stages.casework.acting``, ``stages.deciding``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from khaos_swap_assets.adapters.store import desk_decisions
from khaos_swap_assets.adapters.store.desk_decisions import CaseDecision
from khaos_swap_assets.desk.forms import NOTHING_LEAVES, REASON, DeskAct, act_page, sent_with
from khaos_swap_assets.desk.pages import RefusedError, render, require
from khaos_swap_assets.desk.reach import Conn, DeskReach, as_of
from khaos_swap_assets.domain.desk.members import Act, Member, may_grant
from khaos_swap_assets.domain.money.amounts import money_words
from khaos_swap_assets.domain.records.decisions import WAIVED, DecisionKind
from khaos_swap_assets.stages import deciding
from khaos_swap_assets.stages.casework import acting
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person

MOST_SHOWN = 200
PERMISSION: Mapping[str, Act] = {
    **dict.fromkeys(("noted", "assigned", "snoozed"), "work_queue"),
    **dict.fromkeys(("waived", "waiver_asked", "signed"), "waive"),
    **dict.fromkeys(
        ("this_return", "not_this_return", "same_code", "accepted_value", "settled_outside"), "decide_match"
    ),
}
GRANT = DeskAct(
    title="Grant a waiver",
    may="waive_above_limit",
    changes="The exception closes although what is wrong stays wrong; the month names it as waived, with both names.",
    stays=f"Refunds and Credit Notes stay as they are. {NOTHING_LEAVES}",
    fields=(REASON,),
    button="Grant it",
)
TAKE_BACK = DeskAct(
    title="Take back",
    may="work_queue",
    changes="The decision ends and stands in the record as taken back, with your name. What it held is judged as "
    "before: a waived exception whose condition still holds is open again, as old as it is.",
    stays=f"Nothing is deleted. {NOTHING_LEAVES}",
    fields=(REASON,),
    button="Take it back",
)


def waiting(reach: DeskReach, request: Request) -> Response:
    """The waivers that wait for a second person."""
    member = require(request, "see")
    with reach.store() as conn:
        found, read = desk_decisions.asked(conn, MOST_SHOWN), as_of(conn, reach.clock())
    may = {one.decision_id for one in found if may_grant(member, one.decided_by)}
    return render(request, "waiting.html", found=found, may=may, read=read)


def ask_grant(reach: DeskReach, request: Request) -> Response:
    """What granting changes."""
    require(request, GRANT.may)
    with reach.store() as conn:
        found = decision_named(conn, request)
    return shown(request, GRANT, found)


def grant(reach: DeskReach, request: Request) -> Response:
    """Grant it as the second person."""
    member, reason = require(request, GRANT.may), sent_with(request).one("reason")
    with reach.store() as conn:
        found = decision_named(conn, request)
        try:
            acting.grant(conn, found.decision_id, member, reason, now=reach.clock())
        except ActionError as error:
            conn.rollback()
            return shown(request, GRANT, found, str(error))
    return to_case(request, found)


def ask_back(reach: DeskReach, request: Request) -> Response:
    """What taking back changes."""
    with reach.store() as conn:
        found = decision_named(conn, request)
    require(request, PERMISSION[found.decision])
    return shown(request, TAKE_BACK, found)


def back(reach: DeskReach, request: Request) -> Response:
    """Take it back."""
    reason = sent_with(request).one("reason")
    with reach.store() as conn:
        found = decision_named(conn, request)
        member = require(request, PERMISSION[found.decision])
        try:
            ended(conn, found, member, reason, reach)
        except ActionError as error:
            conn.rollback()
            return shown(request, TAKE_BACK, found, str(error))
    return to_case(request, found)


def ended(conn: Conn, found: CaseDecision, member: Member, reason: str, reach: DeskReach) -> None:
    """End one decision by the hand that its kind has."""
    kinds: dict[str, DecisionKind] = {kind: kind for kind in get_args(DecisionKind)}
    kind = kinds.get(found.decision)
    if kind is None or kind == WAIVED:
        acting.take_back(conn, found.decision_id, member, reason, now=reach.clock())
        return
    person = Person(member.name, reason)
    deciding.take_back(conn, kind, found.subject, found.object, person, now=reach.clock())


def shown(request: Request, told: DeskAct, found: CaseDecision, problem: str = "") -> Response:
    """The page before it is done; with a problem it says that nothing was changed."""
    pence = found.money_at_risk_pence
    about = f"{found.subject}: {found.decision.replace('_', ' ')} by {found.decided_by}"
    return act_page(
        request,
        told,
        address=request.url.path.removeprefix(request.scope.get("root_path", "")),
        about=about if pence is None else f"{about}, {money_words(pence, found.currency)} at risk",
        problems={0: problem} if problem else {},
    )


def decision_named(conn: Conn, request: Request) -> CaseDecision:
    """The decision of the address, which stands. Raises ``RefusedError``."""
    found = desk_decisions.one(conn, request.path_params["number"])
    if found is None or found.decision not in PERMISSION:
        raise RefusedError(404, "There is no such decision.", "Go back to the page of the exception.")
    return found


def to_case(request: Request, found: CaseDecision) -> Response:
    """To the page of the exception that a decision is about, or to the queues."""
    root = request.scope.get("root_path", "")
    where = f"/exceptions/{found.exception_id}#record" if found.exception_id else "/"
    return RedirectResponse(f"{root}{where}", 303)
