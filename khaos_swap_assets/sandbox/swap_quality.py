"""Quality control in the sandbox's Swap: what a warehouse reports there of one line, and what follows for its return.

Belongs here: reading the update, matching it by order and line, the verdict of the return, and processing by itself
where the switch ``qc_auto_process`` says so (swap.md §4). Stays out: HTTP, the key and armed faults (``swap_server``).
Without that switch no money moves, whatever is reported.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.scenarios import closing
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_query import RefusalError, read_moment
from khaos_swap_assets.sandbox.world import Rma, RmaLine, World

DONE = "Quality control update processed successfully"
CONDITIONS = (
    "Damaged", "Missing", "No-Value", "Pending", "Sellable", "Wrong-Item", "Not Expected", "Qty Mismatch",
)  # fmt: skip
NEEDED = (
    ("store_id",),
    ("condition",),
    ("shopify_order_id", "shopify_order_name"),
    ("sku", "shopify_line_item_id"),
)
VERDICTS: Mapping[str, str] = {"Sellable": "Approved", "Pending": "Pending", "Missing": "Missing"}
REFUSED = "Not Approved"
ENDED = ("Cancelled", "Expired")

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Update:
    """One well-formed update: so many units of one line of one order in one condition."""

    store_id: str
    condition: str
    return_qty: int
    shopify_order_id: str = ""
    shopify_order_name: str = ""
    sku: str = ""
    shopify_line_item_id: str = ""
    order_date: str = ""
    receipt_date: str = ""
    carton_id: str = ""


def read(body: bytes) -> Update:
    """Read the body of an update. Raises ``RefusalError`` that names every field at fault."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusalError(400, "the body is no JSON") from None
    if not isinstance(given, dict):
        raise RefusalError(400, "the body must be one JSON object")
    told = {one.name: given[one.name] for one in fields(Update) if given.get(one.name) is not None}
    units, texts = told.pop("return_qty", None), told
    condition = _condition(texts.get("condition"))
    if faults := _faults(texts, condition, units):
        raise RefusalError(400, faults)
    return Update(**{**texts, "condition": condition, "return_qty": units})


def update(state: State, wanted: Update) -> list[object]:
    """Write the update down and give what changed; what matches nothing is Unexpected, and a success all the same.

    Raises ``RefusalError`` for another store.
    """
    world = state.world
    if wanted.store_id != state.store_id:
        raise RefusalError(404, "Store not found")
    found = _match(state, wanted)
    if found is None:
        world.unexpected.append(asdict(wanted))
        return [world]
    rma, line = found
    excess = _record(line, wanted, adds=state.switch("qc_repeat", "overwrite") == "add")
    if excess:
        world.unexpected.append({**asdict(wanted), "return_qty": excess})
    rma.quality_control_status, rma.updated_at = _verdict(rma), world.now
    if rma.quality_control_status == "Approved" and state.switch("qc_auto_process", "off") == "on":
        _process(world, rma)
    return [rma, world]


def _faults(texts: Mapping[str, object], condition: str, units: object) -> list[str]:
    faults = [f"{name} must be a string" for name, text in texts.items() if not isinstance(text, str)]
    for names in NEEDED:
        if not any(texts.get(name) for name in names):
            faults.append(f"{' or '.join(names)} should not be empty")
    if texts.get("condition") and not condition:
        faults.append(f"condition must be one of the following values: {', '.join(CONDITIONS)}")
    if not isinstance(units, int) or isinstance(units, bool):
        faults.append("return_qty must be an integer number")
    elif units < 1:
        faults.append("return_qty must not be less than 1")
    dates = [name for name in ("order_date", "receipt_date") if not _is_moment(texts.get(name))]
    return faults + [f"{name} must be a valid ISO 8601 date string" for name in dates]


def _condition(text: object) -> str:
    """The documented word that is meant, whatever its case and hyphens; empty for another word."""
    plain = str(text).casefold().replace("-", " ")
    found = next((word for word in CONDITIONS if word.casefold().replace("-", " ") == plain), "")
    if found and found != text:
        LOG.warning("condition %r was read as %r", text, found)
    return found


def _is_moment(text: object) -> bool:
    try:
        return not text or bool(read_moment(str(text)))
    except ValueError:
        return False


def _match(state: State, wanted: Update) -> tuple[Rma, RmaLine] | None:
    """The line that is meant: of a return that is still open before a processed one, never of one that has ended."""
    own = [rma for rma in state.world.rmas.values() if rma.store == state.store and _is_of(rma, wanted)]
    rmas = [rma for rma in own if rma.is_submitted and rma.status not in ENDED]
    for rma in sorted(rmas, key=lambda one: one.processed_at is not None):
        for line in rma.lines:
            key = line.line_item_id if wanted.shopify_line_item_id else line.sku
            if key == (wanted.shopify_line_item_id or wanted.sku):
                return rma, line
    return None


def _is_of(rma: Rma, wanted: Update) -> bool:
    if wanted.shopify_order_id:
        return rma.order_id == wanted.shopify_order_id
    return rma.order_name.removeprefix("#") == wanted.shopify_order_name.removeprefix("#")


def _record(line: RmaLine, wanted: Update, *, adds: bool) -> int:
    """Let the newest word count before older ones; returns the units beyond what the line holds."""
    older = dict(line.quality)
    told = older.pop(wanted.condition, 0) * adds + wanted.return_qty
    room, line.quality = line.quantity, {}
    for word, units in {wanted.condition: told, **older}.items():
        if kept := min(units, room):
            line.quality[word], room = kept, room - kept
    return max(0, told - line.quantity)


def _verdict(rma: Rma) -> str:
    """The status of a whole return: pending until every unit was spoken of, and approved only when all are."""
    lines = [line for line in rma.lines if not line.is_kept]
    words = {VERDICTS.get(word, REFUSED) for line in lines for word in line.quality}
    if any(sum(line.quality.values()) < line.quantity for line in lines):
        return "Pending"
    return next((word for word in ("Pending", REFUSED, "Missing") if word in words), "Approved")


def _process(world: World, rma: Rma) -> None:
    """Close and refund now what nobody processed yet: as it was going to be, else its Refund lines less the fee."""
    if rma.processed_at or rma.status == "Closed":
        return
    planned = next((step for step in rma.steps if step[1].get("status") == "Closed"), None)
    if planned:
        rma.steps.remove(planned)
    due = sum(line.cost_pence for line in rma.lines if line.outcome == "Refund") - rma.handling_fee_pence
    now = closing(world.now.isoformat(), due)
    changes = planned[1] | {name: now[name] for name in ("processed_at", "closed_at")} if planned else now
    rma.steps.append((world.now, changes))
    apply_due(world)
