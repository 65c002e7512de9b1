"""The pages of what a person does to exceptions of a queue, one or many: first what changes, then the answers.

Belongs here: for each act its words, its fields and who may. Stays out: the acts themselves
(``stages.casework.acting``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from khaos_swap_assets.adapters.store import desk_case
from khaos_swap_assets.adapters.store.desk_case import CaseRow
from khaos_swap_assets.desk.forms import (
    NOTHING_LEAVES,
    REASON,
    DeskAct,
    FormField,
    Sent,
    act_named,
    act_page,
    asked_of,
    sent_with,
)
from khaos_swap_assets.desk.pages import RefusedError, render, require, summed
from khaos_swap_assets.desk.reach import Conn, DeskReach
from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.domain.desk.queues import in_address
from khaos_swap_assets.domain.money.amounts import count_words, money_words
from khaos_swap_assets.stages.casework import acting
from khaos_swap_assets.stages.casework.acting import Act, ActWish, Picked, RowAnswer

UNTIL = FormField("until", "Until which day", "day", hint="It is back on that day.")
ENDS = FormField("until", "On which day the waiver ends by itself", "day", is_required=False, hint="Empty: on none.")
ACTS: Mapping[str, DeskAct] = {
    "note": DeskAct(
        title="Leave a note",
        may="work_queue",
        changes="Your note stands on the page of each of these, with your name and the time.",
        stays=f"Owner, money and month stay as they are. {NOTHING_LEAVES}",
        fields=(FormField("told", "Your note", "lines", hint="Everybody who may look at the desk reads it."),),
        button="Leave the note",
    ),
    "assign": DeskAct(
        title="Say who takes it",
        may="work_queue",
        changes="A name stands beside each of these in the queue, in place of any name before.",
        stays=f"They stay in the same queue, and everybody of the team may still act on them. {NOTHING_LEAVES}",
        fields=(FormField("told", "Who takes it"), FormField("reason", "Why", "lines", is_required=False)),
        button="Hand it over",
    ),
    "snooze": DeskAct(
        title="Put it off",
        may="work_queue",
        changes="These leave the queue until the day that you name, or until their money changes.",
        stays=f"They stay open: they count in every sum and block the month as before. {NOTHING_LEAVES}",
        fields=(UNTIL, REASON),
        button="Put it off",
    ),
    "waive": DeskAct(
        title="Waive",
        may="waive",
        changes="These close although what is wrong stays wrong, and the month names them as waived, with your name. "
        "What is above your limit waits for a second person and closes only then. A waiver ends, and the exception is "
        "open again, when its money changes, on the day that you may name, or when somebody takes it back.",
        stays=f"Refunds and Credit Notes stay as they are. {NOTHING_LEAVES}",
        fields=(REASON, ENDS),
        button="Waive",
    ),
}
RUNS: Mapping[str, Callable[[DeskReach], Act]] = {
    "note": lambda _: acting.note,
    "assign": lambda _: acting.assign,
    "snooze": lambda _: acting.snooze,
    "waive": lambda reach: acting.waive(reach.waiver_limits),
}


def ask(reach: DeskReach, request: Request) -> Response:
    """What an act would change, of which rows, and what it asks for."""
    name = act_named(request, ACTS)
    member = require(request, ACTS[name].may)
    with reach.store() as conn:
        rows = picked_rows(conn, asked_of(request))
    return shown(reach, request, name, member, rows)


def act(reach: DeskReach, request: Request) -> Response:
    """Do it to all of them or to none; each row is answered."""
    name, sent = act_named(request, ACTS), sent_with(request)
    member = require(request, ACTS[name].may)
    wish = ActWish(member=member, reason=sent.one("reason"), told=sent.one("told"), until=sent.day("until"))
    with reach.store() as conn:
        rows = picked_rows(conn, sent)
        picked = [Picked(row.exception_id, sent.seen.get(row.exception_id, -1)) for row in rows]
        answers = acting.do(conn, RUNS[name](reach), picked, wish, now=reach.clock())
    if any(answer.problem for answer in answers):
        return shown(reach, request, name, member, rows, answers)
    if len(rows) == 1:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/exceptions/{rows[0].exception_id}#record", 303)
    return render(request, "done.html", title=ACTS[name].title, answers=answers, address=in_address(rows[0].owner))


def shown(
    reach: DeskReach,
    request: Request,
    name: str,
    member: Member,
    rows: Sequence[CaseRow],
    answers: Sequence[RowAnswer] = (),
) -> Response:
    """The page of an act; with answers it says that nothing was changed, and why."""
    at_risk = summed((row.money_at_risk_pence, row.currency) for row in rows)
    return act_page(
        request,
        ACTS[name],
        address=f"/acts/{name}",
        about=f"{count_words(len(rows), 'exception')}, {at_risk} at risk",
        rows=rows,
        problems={answer.exception_id: answer.problem for answer in answers},
        above=above(reach, member, rows) if name == "waive" else "",
    )


def above(reach: DeskReach, member: Member, rows: Sequence[CaseRow]) -> str:
    """What of these needs a second person, in words; empty where nothing does."""
    limits = reach.waiver_limits
    over = [row for row in rows if limits.needs_second(member, row.money_at_risk_pence)]
    if not over:
        return ""
    most = money_words(limits.of(member), over[0].currency or "GBP")
    of_these = f"{len(over)} of these are" if len(rows) > 1 else "This is"
    return f"{of_these} above your limit of {most} each: a second person has to grant it, and nothing closes before."


def picked_rows(conn: Conn, sent: Sent) -> list[CaseRow]:
    """The exceptions that were picked. Raises ``RefusedError`` where one does not exist."""
    numbers = sent.picked
    found = desk_case.cases(conn, numbers)
    if missing := [number for number in numbers if number not in found]:
        raise RefusedError(404, f"There is no exception {missing[0]}; nothing was changed.", "Go back to the queue.")
    return [found[number] for number in numbers]
