"""The page of the feed: what leaves, what holds it, and the hand that stops it at once or lets it go on.

Belongs here: its words and who may. Stays out: what holds the feed (``stages.credit_notes.stopping``) and the hands
(``stages.credit_notes.people``).
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from khaos_swap_assets.adapters.store import feed_holds
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.desk.forms import REASON, DeskAct, act_named, act_page, sent_with
from khaos_swap_assets.desk.pages import render, require, summed
from khaos_swap_assets.desk.reach import Conn, DeskReach, as_of
from khaos_swap_assets.domain.money.amounts import count_words
from khaos_swap_assets.stages.credit_notes import people, stopping
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person

ACTS: Mapping[str, DeskAct] = {
    "hold": DeskAct(
        title="Hold the feed",
        may="steer_feed",
        changes="From now on no document leaves for Khaos, whoever released it, until somebody takes the hold back.",
        stays="What Khaos has already got stays there. Reading, matching, drafting and the month go on.",
        fields=(REASON,),
        button="Hold it",
    ),
    "resume": DeskAct(
        title="Take the hold back",
        may="steer_feed",
        changes="Documents leave again at the next pull of Khaos, as far as nothing else holds them.",
        stays="Caps of the day and every other hold stay in force.",
        fields=(REASON,),
        button="Let it go on",
    ),
}


def show(reach: DeskReach, request: Request) -> Response:
    """What is planned and out, and everything that holds it back."""
    member, now = require(request, "see"), reach.clock()
    with reach.store() as conn:
        problems = stopping.feed_problems(conn, settings=reach.settings, now=now)
        held, figures, read = feed_holds.by_person(conn), standing(conn), as_of(conn, now)
    act = "resume" if held else "hold"
    offered = (act, ACTS[act].title) if member.may("steer_feed") else None
    return render(request, "feed.html", problems=problems, figures=figures, offered=offered, read=read)


def standing(conn: Conn) -> list[tuple[str, str]]:
    """(state, how many and how much) of the documents that are not done."""
    found = SqlPostings(conn).undone()
    states = {"planned": "planned, not handed out", "in_doubt": "handed out, not seen in Khaos yet"}
    return [
        (words, f"{count_words(len(some), 'document')}, {summed((one.value_pence, one.currency) for one in some)}")
        for state, words in states.items()
        for some in [[one for one in found if one.state == state]]
    ]


def ask(reach: DeskReach, request: Request) -> Response:
    """What holding, or letting go on, changes."""
    name = act_named(request, ACTS)
    require(request, ACTS[name].may)
    with reach.store() as conn:
        return shown(conn, request, name)


def act(reach: DeskReach, request: Request) -> Response:
    """Hold it, or let it go on."""
    name, reason = act_named(request, ACTS), sent_with(request).one("reason")
    member = require(request, ACTS[name].may)
    with reach.store() as conn:
        try:
            hand = people.hold_feed if name == "hold" else people.resume_feed
            hand(conn, Person(member.name, reason), now=reach.clock())
        except ActionError as error:
            conn.rollback()
            return shown(conn, request, name, str(error))
    return RedirectResponse(f"{request.scope.get('root_path', '')}/feed", 303)


def shown(conn: Conn, request: Request, name: str, problem: str = "") -> Response:
    """The page of an act; with a problem it says that nothing was changed."""
    about = "; ".join(f"{words}: {figures}" for words, figures in standing(conn))
    return act_page(request, ACTS[name], address=f"/feed/{name}", about=about, problems={0: problem} if problem else {})
