"""The first page after signing in: where to go.

Belongs here: links. Stays out: what is there.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.door import showing


def start_route() -> Route:
    """The page ``/``."""
    return Route("/", _start, methods=["GET"])


async def _start(request: Request) -> Response:
    member: Member = request.state.member
    values = {"title": "Khaos Swap", "member": member, "may_run": member.may("run"), "csrf": request.state.csrf}
    return showing.page("start", **values)
