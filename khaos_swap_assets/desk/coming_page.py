"""The page of returns to come: which open returns will fail, by cause, and the returns of one cause.

Belongs here: what the page asks and shows. Stays out: finding causes (``stages.returns.foreseeing``) and the words
(``judging.foreseen``).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.store import return_causes, worklist
from khaos_swap_assets.desk.lists import MOST_WORD
from khaos_swap_assets.desk.pages import RefusedError, render, require
from khaos_swap_assets.desk.reach import DeskReach, as_of
from khaos_swap_assets.domain.judging.foreseen import summary
from khaos_swap_assets.stages import marks

MOST_ROWS = 200


def show(reach: DeskReach, request: Request) -> Response:
    """The causes, and where one is asked for by its code the returns that it holds."""
    require(request, "see")
    code, now = request.query_params.get("code"), reach.clock()
    if len(code or "") > MOST_WORD * 2:
        raise RefusedError(400, "That is too long for a code.", f"Give at most {MOST_WORD * 2} characters.")
    with reach.store() as conn:
        causes = return_causes.known(conn)
        has_vat = any(one.about == "VAT code" for one in causes)
        count = return_causes.count(conn, list(RATES), has_vat=has_vat)
        held = [] if code is None else return_causes.children(conn, list(RATES), code, MOST_ROWS + 1)
        looked_at, read = worklist.reached(conn, marks.FORESEEN), as_of(conn, now)
    return render(
        request,
        "coming.html",
        summary=summary(count, causes),
        causes=causes[:MOST_ROWS],
        is_more=len(causes) > MOST_ROWS,
        code=code,
        held=held,
        most=MOST_ROWS,
        looked_at=looked_at,
        read=read,
    )
