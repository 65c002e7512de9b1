"""The page "Where is my refund?": goods, money, credit and who acts next, in words that an agent can read out.

Belongs here: what the page asks and shows. Stays out: the story itself (``stages.casework.evidence``), which
``khaos-swap returns show`` tells too.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from khaos_swap_assets.adapters.store import desk_lists
from khaos_swap_assets.desk.lists import MOST_FOUND, with_deadline
from khaos_swap_assets.desk.pages import RefusedError, render, require
from khaos_swap_assets.desk.reach import DeskReach, as_of
from khaos_swap_assets.stages.casework.evidence import stories

MOST_NAME = 100
NONE = "Check the number with the customer, or search by order, SKU, Credit Note or customer key."


def show(reach: DeskReach, request: Request) -> Response:
    """The returns with an RMA or of an order."""
    require(request, "see")
    name, now = request.path_params["name"], reach.clock()
    if len(name) > MOST_NAME or "\0" in name:
        raise RefusedError(404, "No return in Swap has that RMA or order.", NONE)
    with reach.store() as conn:
        told, read = stories(conn, reach.settings, reach.policy, name, now), as_of(conn, now)
        rows = desk_lists.search(conn, name, MOST_FOUND) if told else []
    if not told:
        raise RefusedError(404, f"No return in Swap has the RMA or the order {name!r}.", NONE)
    return render(request, "return.html", name=name, stories=told, rows=with_deadline(rows), read=read, now=now)
