"""The page of custody: where returned goods are, what came in and is not on the shelf, what nobody looked at.

Belongs here: what the page asks and shows. Stays out: the questions (``adapters.store.custody``) and the places
(``goods.custody``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from khaos_swap_assets.adapters.store import custody
from khaos_swap_assets.desk.lists import MOST_WORD
from khaos_swap_assets.desk.pages import RefusedError, render, require, summed
from khaos_swap_assets.desk.reach import DeskReach, as_of
from khaos_swap_assets.domain.goods.custody import PLACES
from khaos_swap_assets.domain.money.periods import london_date

MOST_ROWS = 50
Row = dict[str, Any]


def show(reach: DeskReach, request: Request) -> Response:
    """Where goods are: of one SKU or Stock Code where asked, and of all by place and age."""
    require(request, "see")
    code, now = request.query_params.get("code", "").strip(), reach.clock()
    if len(code) > MOST_WORD:
        raise RefusedError(400, "That is too long for a SKU.", f"Give at most {MOST_WORD} characters.")
    with reach.store() as conn:
        where = custody.asked(conn, "where", code=code) if code else []
        ages = custody.asked(conn, "by_age", today=london_date(now))
        waiting = custody.asked(conn, "not_on_shelf", limit=MOST_ROWS + 1)
        unseen = custody.asked(conn, "unseen", limit=MOST_ROWS + 1)
        read = as_of(conn, now)
    return render(
        request,
        "custody.html",
        code=code,
        where=by_place(where),
        total=sum(row["units"] for row in where),
        ages=[(words, by_age(rows), summed_of(rows)) for words, rows in by_place(ages)],
        lists=(
            ("Came in and is not on the shelf", "The longest first.", waiting),
            ("On the shelf, and nobody looked", "Swap's quality control said so; the newest first.", unseen),
        ),
        age_names=custody.AGES,
        most=MOST_ROWS,
        places=PLACES,
        summed=summed_of,
        read=read,
    )


def by_place(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """The rows of each place that has any, in its words and in the order of the places."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["place"], []).append(row)
    return [(words, found[place]) for place, words in PLACES.items() if place in found]


def by_age(rows: Iterable[Row]) -> dict[str, int]:
    """Units by age."""
    units: dict[str, int] = dict.fromkeys(custody.AGES, 0)
    for row in rows:
        units[row["age"]] += row["units"]
    return units


def summed_of(rows: Iterable[Row]) -> str:
    """The value of rows, by currency."""
    return summed((row["value_pence"], row["currency"]) for row in rows)
