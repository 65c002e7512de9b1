"""Writes that somebody without the act ``run`` sends to Dagster: refused here, logged, and refused by Dagster too.

Belongs here: seeing that a query writes. Stays out: the read-only workspace that such a member has, which refuses
what was not seen here (``ui.webserver``): two locks, since Dagster asks for a permission write by write.
"""

from __future__ import annotations

import json
import logging

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from graphql.language import FieldNode
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets.door import forms
from khaos_swap_assets.ui.guard import Refusal, refuse

LOG = logging.getLogger("khaos_swap.door")
MOST_TOKENS = 20_000
MOST_NAMED = 10
OF_THE_PAGE = frozenset({"logTelemetry", "setNuxSeen"})
"""What Dagster's page sends by itself whoever looks at it, and what changes nothing of the installation."""


class ReadersOnly:
    """Before Dagster's app: a query of somebody who may not run is read first, and goes no further if it writes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse and log, or hand on."""
        member: Member | None = scope.get("state", {}).get("member")
        if scope["type"] == "http" and scope["method"] == "POST" and member is not None and not member.may("run"):
            try:
                body = await forms.whole_body(receive)
            except forms.TooMuchError:
                await refuse(Refusal(413, "the query is longer than a megabyte"), scope, receive, send)
                return
            if names := written(body):
                LOG.warning("refused Dagster's %s of %s: a role that may run is needed", ", ".join(names), member.name)
                await _denied()(scope, receive, send)
                return
            receive = forms.again(body, receive)
        await self._app(scope, receive, send)


def _denied() -> Response:
    """An answer that Dagster's page shows as what it is."""
    reason = "Your roles let you look and change nothing here."
    return JSONResponse({"data": None, "errors": [{"message": reason}]}, 403)


def written(body: bytes) -> list[str]:
    """The names of what a GraphQL request would change, as far as it can be read."""
    try:
        query = json.loads(body)["query"]
        document = parse(query, max_tokens=MOST_TOKENS, no_location=True)
    except (ValueError, TypeError, KeyError, GraphQLError, RecursionError):
        return []
    names = {
        field.name.value if isinstance(field, FieldNode) else "..."
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode) and one.operation is OperationType.MUTATION
        for field in one.selection_set.selections
    }
    return sorted(names - OF_THE_PAGE)[:MOST_NAMED]
