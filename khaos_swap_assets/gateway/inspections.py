"""What the warehouse found, told by whoever holds the token.

Belongs here: the shape of an inspection and the answers to it. Stays out: what a condition means
(``goods.dispositions``). An inspection may be sent again and again under its own id; the same answer comes back. One
that cannot be read is told its faults and counted. Source: DESIGN §4.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import arrivals, stores
from khaos_swap_assets.adapters.store import inspections as store
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.money.periods import require_trade
from khaos_swap_assets.domain.records.stores import SEPARATOR, qualified
from khaos_swap_assets.gateway import describing
from khaos_swap_assets.gateway.messages import body_of, object_of, whole_numbers
from khaos_swap_assets.gateway.refusals import Heads, refusal
from khaos_swap_assets.gateway.security import bearer_guard

UNREADABLE = "an inspection of the warehouse cannot be read"
SOUND = r"^[^\x00\ufffd]*$"
SOUND_WORD = r"^[^\x00\ufffd]*[^\s\x00\ufffd][^\x00\ufffd]*$"
Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=SOUND_WORD)]
OptionalKey = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=SOUND)]


_DAYS = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])"
_LEAP_DAYS = "(1992|1996|20([02468][048]|[13579][26]))-02-29"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])"
OF_TRADE = f"^((199[1-9]|20[0-9][0-9])-({_DAYS})|{_LEAP_DAYS})T{_TIME}$"


def _of_trade(schema: dict[str, Any]) -> None:
    """Moments of the years of trade; a pattern, since a format has no bounds."""
    schema.pop("format", None)
    schema["pattern"] = OF_TRADE


NAMES_A_LINE: dict[str, Any] = {
    "anyOf": [
        {"required": [name], "properties": {name: {"type": "string", "pattern": SOUND_WORD}}}
        for name in ("sku", "line_item_id")
    ]
}


class InspectionBody(BaseModel):
    """One finding: ``quantity`` units of one line (or of a SKU) in one condition."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra=NAMES_A_LINE)

    inspection_id: Key = Field(description="The sender's own id of this finding; sending it twice changes nothing")
    rma: Key = Field(description="RMA number of the return")
    sku: OptionalKey = Field("", description="SKU of the line; not needed beside line_item_id")
    line_item_id: OptionalKey = Field("", description="Shopify line item id; wins over the SKU")
    condition: Key = Field(
        description="Sellable, Damaged, No-Value, Missing, Wrong-Item, Not Expected, Qty Mismatch, or your own"
    )
    quantity: int = Field(ge=1, le=100_000, strict=True, description="Units in this condition")
    inspected_at: AwareDatetime = Field(description="When, ISO 8601 with zone", json_schema_extra=_of_trade)
    inspected_by: Key = Field(description="Who looked")
    corrects: OptionalKey = Field("", description="inspection_id of the finding whose place this one takes, if any")

    @model_validator(mode="after")
    def _names_a_line(self) -> InspectionBody:
        if not (self.sku or self.line_item_id):
            raise ValueError("sku or line_item_id is required")
        return self

    def record(self) -> Inspection:
        """The domain's record of it, its time in UTC."""
        require_trade(self.inspected_at.year)
        told = self.model_dump()
        return Inspection(**(told | {"inspected_at": self.inspected_at.astimezone(UTC)}))


def router(pool: Pool, settings: Settings, clock: Callable[[], datetime]) -> APIRouter:
    """The endpoint that the warehouse posts to."""
    guard = bearer_guard(settings.inspection_token, settings.inspection_token_previous)
    routes = APIRouter(tags=["Warehouse"], dependencies=[Depends(guard)])
    schema = describing.body(InspectionBody.model_json_schema())
    answers = describing.answers((*describing.OF_BODIES, 409))

    heads = Heads()

    @routes.post("/inspections", summary="Units of a return were inspected", openapi_extra=schema, responses=answers)
    def receive(request: Request, body: Annotated[bytes, Depends(body_of)]) -> dict[str, Any]:
        try:
            inspection = read(object_of(body, whole_numbers))
        except HTTPException:
            now = clock()
            with pool.transaction() as conn:
                arrivals.count_refusals(conn, [refusal(request, body, UNREADABLE, heads.take(body, now), now)])
            raise
        with pool.transaction() as conn:
            inspection = _of_its_store(conn, inspection)
            saved = store.save(conn, inspection, clock())
        if saved == "nothing_to_correct":
            raise HTTPException(409, f"corrects {inspection.corrects} names no inspection of {inspection.rma}")
        if saved == "conflict":
            raise HTTPException(409, f"inspection_id {inspection.inspection_id} was used for another finding")
        return {"accepted": True, "is_repeated": saved == "repeated"}

    return routes


def _of_its_store(conn: psycopg.Connection[Any], told: Inspection) -> Inspection:
    """The finding with the store's name before its RMA, where it is not the first one's; 409 where none is meant."""
    before = store.load(conn, told.inspection_id)
    if before and told.rma in stores.spelled(conn, [before.rma.rpartition(SEPARATOR)[2]]):
        return replace(told, rma=before.rma)
    if rma := stores.rma_of(conn, told.rma):
        return replace(told, rma=rma)
    names = " or ".join(qualified(name, told.rma) for name in stores.further(conn))
    raise HTTPException(409, f"RMA {told.rma} is known of no store, or of several: tell its store, as in {names}")


def read(body: dict[str, Any]) -> Inspection:
    """The inspection in a body; 400 with every fault of it, by field and without its values."""
    try:
        return InspectionBody.model_validate(body).record()
    except ValidationError as error:
        faults = [_fault(fault["loc"], fault["msg"]) for fault in error.errors(include_input=False, include_url=False)]
    except (OverflowError, ValueError):
        faults = ["inspected_at: out of range"]
    raise HTTPException(400, faults)


def _fault(place: tuple[int | str, ...], words: str) -> str:
    return f"{'.'.join(map(str, place))}: {words}" if place else words
