"""How a page of the desk is made: its template, and how figures and moments are written on it.

Belongs here: rendering, refusals and errors as pages. Stays out: what is on a page (``desk.lists``, ``desk.case_page``,
``desk.return_page``). Every text is escaped; nothing is loaded from elsewhere, and no script runs
but that of the bench, a file of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from khaos_swap_assets.domain.desk.members import Act, Member
from khaos_swap_assets.domain.desk.queues import in_address, team_of
from khaos_swap_assets.domain.money.amounts import count_words, money_words
from khaos_swap_assets.domain.money.periods import LONDON, day_words
from khaos_swap_assets.door.showing import HEADERS, LONGEST_PATH

if TYPE_CHECKING:
    from jinja2 import Environment

CAPITALS = {"sku", "vat"}


@dataclass(frozen=True, slots=True)
class RefusedError(Exception):
    """The page that was asked for is not shown: its status, why, and what to do."""

    status: int
    what: str
    todo: str


def member_of(request: Request) -> Member:
    """Who signed in."""
    found = request.state.member
    assert isinstance(found, Member)
    return found


def require(request: Request, act: Act) -> Member:
    """The member, who may do this. Raises ``RefusedError``."""
    member = member_of(request)
    if not member.may(act):
        todo = "Ask whoever keeps the list of users for a role that may, or hand the case to such a person."
        raise RefusedError(403, "Your roles do not allow this; nothing was changed.", todo)
    return member


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of the desk."""
    shown = {"member": member_of(request), "csrf": request.state.csrf, "root": request.scope.get("root_path", "")}
    merchant = getattr(request.state, "merchant", "")
    shown["before_assets"] = f"{merchant}/" if merchant else ""
    text = _environment().get_template(template).render(**shown, **values)
    return HTMLResponse(text, status_code=status, headers=HEADERS)


def refused(request: Request, why: RefusedError) -> HTMLResponse:
    """The page that says why something is not shown or was not done."""
    return render(request, "refused.html", status=why.status, why=why, path=request.url.path[:LONGEST_PATH])


def moment_words(moment: datetime) -> str:
    """A moment as people in London write it: ``12:05 on 9 March 2026``."""
    local = moment.astimezone(LONDON)
    return f"{local:%H:%M} on {day_words(local.date())}"


def kind_words(kind: str) -> str:
    """A kind of the catalogue as people write it: ``SKU unknown``."""
    words = [word.upper() if word in CAPITALS else word for word in kind.split("_")]
    return " ".join([words[0] if words[0].isupper() else words[0].capitalize(), *words[1:]])


def coded(text: str) -> Markup:
    """A text of the catalogue with its `commands` set apart; all of it is escaped."""
    parts = text.split("`")
    marked = [Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)]
    return Markup("").join(marked) if len(parts) % 2 else escape(text)


def summed(pairs: Iterable[tuple[int, str]]) -> str:
    """Pence and currencies added up by currency: ``£12.00 and €3.00``; currencies are never added together."""
    sums: dict[str, int] = {}
    for pence, currency in pairs:
        sums[currency] = sums.get(currency, 0) + pence
    return (
        " and ".join(money_words(pence, currency) for currency, pence in sorted(sums.items()) if pence) or "no amount"
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("khaos_swap_assets.desk", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "money": money_words,
        "moment": moment_words,
        "day": lambda moment: day_words(moment.astimezone(LONDON).date()),
        "words": kind_words,
        "team": team_of,
        "coded": coded,
        "sentence": lambda text: text[:1].upper() + text[1:],
        "count_words": count_words,
        "slug": in_address,
        "part": lambda text: quote(str(text), safe=""),
    }
    return made
