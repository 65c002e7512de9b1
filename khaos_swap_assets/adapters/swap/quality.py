"""One finding of the warehouse as Swap's quality control takes it: the body of the call, and its answer.

Belongs here: names and spelling of the call (swap.md §4). Stays out: whether it is sent (``goods.quality_calls``) and
the connection (``client``). A call is sent once: Swap knows no key by which a repeat is one.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters import json_text
from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError
from khaos_swap_assets.adapters.settings_stores import variable
from khaos_swap_assets.domain.goods.conditions import plain
from khaos_swap_assets.domain.goods.quality_calls import CONDITIONS
from khaos_swap_assets.domain.records.stores import bare

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.http import Http
    from khaos_swap_assets.adapters.settings import SwapSettings
    from khaos_swap_assets.domain.goods.dispositions import Inspection
    from khaos_swap_assets.domain.records.returns import Return, ReturnLine

PATH = "/v1/external/quality-control/update"
AT_THE_DOOR = (401, 403)
MOST_WORDS = 200


class NotAdmittedError(PermanentError):
    """Swap does not let us in, whatever we ask."""


def report(http: Http, settings: SwapSettings, told: Inspection, line: ReturnLine, return_: Return) -> str:
    """Send one finding and give Swap's words. Raises ``PermanentError`` where Swap refuses it.

    Raises ``NotAdmittedError`` where the key is refused, ``InDoubtError`` where it may have happened,
    ``TransientError`` where it certainly did not.
    """
    body = {
        "store_id": settings.store_id,
        "condition": CONDITIONS[plain(told.condition)],
        "return_qty": told.quantity,
        "shopify_order_name": bare(settings.store, return_.order_name),
        "receipt_date": told.inspected_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{name: word for name, word in (("sku", line.sku), ("shopify_line_item_id", line.line_item_id)) if word},
    }
    headers = {"content-type": "application/json"}
    content = json.dumps(body).encode()
    answer = http.write(
        "POST", PATH, content=content, headers=headers, accept=lambda one: one.status_code in AT_THE_DOOR
    )
    if answer.status_code in AT_THE_DOOR:
        raise NotAdmittedError(f"POST {PATH}: {answer.status_code}: check {variable(settings.store, 'SWAP_API_KEY')}")
    try:
        found = json_text.tolerant(answer.content)
    except ValueError:
        raise InDoubtError(f"POST {PATH}: the answer is no whole JSON; it may or may not have happened") from None
    words = found.get("message") if isinstance(found, dict) else None
    return str(words or "no words")[:MOST_WORDS]
