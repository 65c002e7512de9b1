"""The pages of what a person decides about one exception: whose a Credit Note is, what a SKU is, values, documents.

Belongs here: for each act its words, what it may be about, and who may. Stays out: the decisions themselves
(``stages.deciding``) and the documents (``stages.credit_notes.people``). A suggestion acts on nothing: none is chosen
before a person does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from khaos_swap_assets.adapters.store import desk_case, desk_decisions
from khaos_swap_assets.adapters.store.desk_case import CaseRow
from khaos_swap_assets.desk import choices
from khaos_swap_assets.desk.forms import (
    NOTHING_LEAVES,
    REASON,
    Choice,
    DeskAct,
    FormField,
    Sent,
    act_named,
    act_page,
    sent_with,
)
from khaos_swap_assets.desk.pages import RefusedError, require
from khaos_swap_assets.desk.reach import Conn, DeskReach
from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.money.amounts import money_words
from khaos_swap_assets.domain.records.decisions import (
    ACCEPTED_VALUE,
    NOT_THIS_RETURN,
    SAME_CODE,
    SETTLED_OUTSIDE,
    THIS_RETURN,
    DecisionKind,
    PersonDecision,
)
from khaos_swap_assets.stages import deciding
from khaos_swap_assets.stages.casework.evidence import Evidence, evidence_of
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person

GONE = "Search for its RMA or Credit Note: exceptions that closed are still told of on the page of their return."
LOOKED = FormField("looked", "I looked in Khaos: it holds no return and no Credit Note with this reference", "tick")


Run = Callable[[Conn, Choice, CaseRow, Person, datetime, Sent], object]


@dataclass(frozen=True, slots=True)
class CaseAct:
    """An act on one case: its page, what it may be about (nothing: it is not offered), and doing it."""

    told: DeskAct
    choices: Callable[[Conn, CaseRow, Evidence], Sequence[Choice]]
    run: Run


def _decide(kind: DecisionKind) -> Run:
    def run(conn: Conn, choice: Choice, row: CaseRow, person: Person, now: datetime, __: Sent) -> object:
        subject, _, other = choice.value.partition(choices.SEPARATOR)
        if kind == SAME_CODE:
            subject, other = row.sku, choice.value
        wish = PersonDecision(
            decision=kind, subject=subject, object=other, decided_by=person.by, reason=person.reason, decided_at=now
        )
        told = deciding.decide(conn, wish, now=now)
        desk_decisions.remember(conn, wish, row, choice.because)
        return told

    return run


def _release(conn: Conn, choice: Choice, _: CaseRow, person: Person, now: datetime, __: Sent) -> object:
    return people.release(conn, choice.value, person, now=now)


def _keep_back(conn: Conn, choice: Choice, _: CaseRow, person: Person, now: datetime, __: Sent) -> object:
    return people.take_release_back(conn, choice.value, person, now=now)


def _again(conn: Conn, choice: Choice, _: CaseRow, person: Person, now: datetime, sent: Sent) -> object:
    return people.release(conn, choice.value, person, now=now, has_looked=sent.one("looked") == "yes")


ACTS: Mapping[str, CaseAct] = {
    "link": CaseAct(
        DeskAct(
            title="Say whose Credit Note it is",
            may="decide_match",
            changes="The Credit Note becomes the return's, in place of what it was linked to, and both are "
            "judged again by the next run. A document of ours that is planned for the same money is withdrawn.",
            stays=f"The note stays in Khaos as it is. {NOTHING_LEAVES}",
            fields=(REASON,),
            button="Link them",
        ),
        choices.pairs,
        _decide(THIS_RETURN),
    ),
    "rule-out": CaseAct(
        DeskAct(
            title="Say whose Credit Note it is not",
            may="decide_match",
            changes="Nothing links this note to this return any more; both are judged again by the next run.",
            stays=f"The note may still be another return's. {NOTHING_LEAVES}",
            fields=(REASON,),
            button="Rule it out",
        ),
        choices.pairs,
        _decide(NOT_THIS_RETURN),
    ),
    "same-code": CaseAct(
        DeskAct(
            title="Accept the suggested Stock Code",
            may="decide_match",
            changes="A Credit Note with this Stock Code counts as one for the SKU, in every return that has it; the "
            "next run looks at all of them again.",
            stays="Nothing is posted on it: the return is held until Khaos has a Stock Code equal to the SKU, or the "
            "SKU is corrected in the shop.",
            fields=(REASON,),
            button="Accept it",
        ),
        choices.codes,
        _decide(SAME_CODE),
    ),
    "accept-value": CaseAct(
        DeskAct(
            title="Accept the value of the Credit Notes",
            may="decide_match",
            changes="The difference counts as decided, and the month names it with your name. That ends when refund or "
            "credit becomes another.",
            stays=f"Refund and Credit Notes stay as they are. {NOTHING_LEAVES}",
            fields=(REASON,),
            button="Accept the value",
        ),
        choices.credited,
        _decide(ACCEPTED_VALUE),
    ),
    "settled-outside": CaseAct(
        DeskAct(
            title="Say that it was settled outside",
            may="decide_match",
            changes="No document of ours is ever made for it, and what is planned is withdrawn; the month names it as "
            "decided, with your name.",
            stays=f"Refund and Credit Notes stay as they are. {NOTHING_LEAVES}",
            fields=(REASON,),
            button="It was settled",
        ),
        choices.value,
        _decide(SETTLED_OUTSIDE),
    ),
    "release": CaseAct(
        DeskAct(
            title="Release a document",
            may="release_draft",
            changes="Khaos gets this document at its next pull and makes a Credit Note of this value of it.",
            stays="Nothing is sent to Swap, and no money moves. Caps of the day and a held feed still hold it back.",
            fields=(REASON,),
            button="Release it",
        ),
        choices.documents("planned"),
        _release,
    ),
    "take-release-back": CaseAct(
        DeskAct(
            title="Take a release back",
            may="release_draft",
            changes="Khaos does not get this document before it is released again, or before it may go by itself.",
            stays="The document, its value and its reference. What Khaos collected already cannot be taken back.",
            fields=(REASON,),
            button="Take it back",
        ),
        choices.released,
        _keep_back,
    ),
    "send-again": CaseAct(
        DeskAct(
            title="Send a document again",
            may="release_draft",
            changes="Khaos gets this document once more at its next pull, without another search. If Khaos holds it "
            "after all, the customer may be credited twice.",
            stays="Its reference and its content are those of before. Nothing is sent to Swap.",
            fields=(LOOKED, REASON),
            button="Send it again",
        ),
        choices.documents("in_doubt"),
        _again,
    ),
}


def offered(conn: Conn, member: Member, row: CaseRow, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """(address, title) of the acts that the case has something for and the member may do."""
    if row.closed_at is None:
        for name, act in ACTS.items():
            if member.may(act.told.may) and act.choices(conn, row, evidence):
                yield f"/exceptions/{row.exception_id}/{name}", act.told.title


def ask(reach: DeskReach, request: Request) -> Response:
    """What an act would change, and what it may be about."""
    name = act_named(request, ACTS)
    require(request, ACTS[name].told.may)
    with reach.store() as conn:
        row = case_named(conn, request)
        found = choices_of(conn, reach, name, row)
    return shown(request, name, row, found)


def act(reach: DeskReach, request: Request) -> Response:
    """Do it, on what was offered and on the money that was seen."""
    name, sent = act_named(request, ACTS), sent_with(request)
    member = require(request, ACTS[name].told.may)
    with reach.store() as conn:
        row = case_named(conn, request)
        found = choices_of(conn, reach, name, row)
        try:
            chosen = [one for one in found if one.value == sent.one("choice")]
            if not chosen:
                raise ActionError("what you chose is no longer offered; look at it again")
            if sent.seen.get(row.exception_id) != row.money_at_risk_pence:
                raise ActionError("its money at risk is another than you saw")
            person = Person(member.name, sent.one("reason"))
            ACTS[name].run(conn, chosen[0], row, person, reach.clock(), sent)
        except ActionError as error:
            conn.rollback()
            return shown(request, name, row, found, str(error))
    return RedirectResponse(f"{request.scope.get('root_path', '')}/exceptions/{row.exception_id}#record", 303)


def choices_of(conn: Conn, reach: DeskReach, name: str, row: CaseRow) -> Sequence[Choice]:
    """What an act may be about now. Raises ``RefusedError`` where there is nothing."""
    evidence = evidence_of(conn, reach.settings, reach.policy, row)
    found = ACTS[name].choices(conn, row, evidence) if row.closed_at is None else ()
    if not found:
        raise RefusedError(409, "There is nothing to decide here any more; nothing was changed.", "Look at it again.")
    return found


def shown(request: Request, name: str, row: CaseRow, found: Sequence[Choice], problem: str = "") -> Response:
    """The page of an act; with a problem it says that nothing was changed."""
    return act_page(
        request,
        ACTS[name].told,
        address=f"/exceptions/{row.exception_id}/{name}",
        about=f"{row.rma or row.subject}, {money_words(row.money_at_risk_pence, row.currency)} at risk",
        rows=[row],
        choices=found,
        problems={row.exception_id: problem} if problem else {},
    )


def case_named(conn: Conn, request: Request) -> CaseRow:
    """The exception of the address. Raises ``RefusedError`` where there is none, or one of a kind no longer known."""
    row = desk_case.case(conn, request.path_params["number"])
    if row is None or row.kind not in KINDS:
        raise RefusedError(404, "There is no such exception.", GONE)
    return row
