"""Visits to the desk over a town: pages asked for as a member of given roles, by HTTP, without a sign-in before them.

Belongs here: serving the routes to a test and reading what a page says. Stays out: expectations.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from httpx import ASGITransport, AsyncClient, Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from khaos_swap_assets.desk.reach import DeskReach
from khaos_swap_assets.desk.routes import desk_routes
from khaos_swap_assets.domain.desk.members import Member, Role, WaiverLimits
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.town import Town

CSRF = "token-of-the-session"
LIMITS = WaiverLimits({"finance": 5_000, "finance_approver": 100_000})


class _SignedIn:
    """What the sign-in leaves for the pages."""

    def __init__(self, app: ASGIApp, member: Member) -> None:
        self.app, self.member = app, member

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {}).update(member=self.member, csrf=CSRF)
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class Visitor:
    """A member at the desk of a town."""

    town: Town
    member: Member

    def of(self, name: str, *roles: Role) -> Visitor:
        """Somebody else at the same desk."""
        return replace(self, member=Member(name, frozenset(roles)))

    def get(self, path: str, **query: object) -> Response:
        params = {name: str(value) for name, value in query.items()} or None
        return self._asked("GET", path, params=params)

    def post(self, path: str, fields: dict[str, Any] | Sequence[tuple[str, Any]] = ()) -> Response:
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        content = urlencode([("csrf", CSRF), *pairs])
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self._asked("POST", path, content=content, headers=headers)

    def say(self, path: str, content: str) -> Response:
        """Send JSON, as a script does."""
        headers = {"content-type": "application/json", "x-csrf-token": CSRF}
        return self._asked("POST", path, content=content, headers=headers)

    def text(self, path: str, **query: object) -> str:
        """What a page says, without its marks."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, (answer.status_code, said(answer))
        return said(answer)

    def _asked(self, method: str, path: str, **how: Any) -> Response:
        town = self.town
        reach = DeskReach(lambda: lend(town.url), town.settings, town.policy, LIMITS, lambda: town.now)
        app = Starlette(routes=desk_routes(reach), middleware=[Middleware(_SignedIn, member=self.member)])

        async def ask() -> Response:
            async with AsyncClient(transport=ASGITransport(app), base_url="http://desk") as client:
                return await client.request(method, path, **how)

        return asyncio.run(ask())


def said(answer: Response) -> str:
    """The text of a page as a person reads it."""
    body = re.sub(r"<style.*?</style>|<head>.*?</head>", "", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
