"""What the sandbox's Swap is asked: the parameters of both lists of returns, and the refusals of what cannot be read.

Belongs here: names, bounds, defaults and how filters combine (swap.md §2.1, §3.1, §9.3). Stays out: answering.
Nobody documents how V2's filters combine: here they all count. V1's do not (``read_v1``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from khaos_swap_assets.sandbox.world import Rma, World

V2_DATES = ("last_RMA_updated_date", "from_return_submission_date", "to_return_submission_date")
V1_DATES = ("last_updated_date", "from_date", "to_date", "submitted_at_from", "submitted_at_to")
V2_ECHOED = ("swap_store_id", "rma_number", "shopify_order_name", *V2_DATES, "api_version", "items_per_page", "page")
V1_ECHOED = ("store", *V1_DATES, "items_per_page", "page")
NUMBERS = ("api_version", "version", "items_per_page", "page")
ERRORS = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class RefusalError(Exception):
    """An answer other than 200; the message is a list where several fields are at fault."""

    def __init__(self, status: int, message: str | list[str]) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self, shape: str) -> dict[str, object]:
        """The JSON of the refusal: as NestJS writes it, or ``nested`` under ``error`` (swap.md §9.3)."""
        if shape == "nested":
            return {"error": {"message": self.message}}
        return {"statusCode": self.status, "message": self.message, "error": ERRORS[self.status]}


@dataclass(frozen=True)
class Query:
    """One well-formed request for a list; a bound that is None admits everything."""

    store: str
    page: int
    size: int
    echo: Mapping[str, object]
    rma_number: str = ""
    order_name: str = ""
    email: str = ""
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    submitted_from: datetime | None = None
    submitted_to: datetime | None = None

    def admits(self, world: World, rma: Rma) -> bool:
        """True for a submitted return that passes every filter given; bounds are inclusive."""
        customer = world.customers.get(rma.urn)
        return (
            rma.is_submitted
            and self.rma_number in ("", rma.rma_number)
            and self.order_name.removeprefix("#") in ("", rma.order_name.removeprefix("#"))
            and self.email in ("", customer.email if customer else None)
            and _is_within(self.updated_from, rma.updated_at, self.updated_to)
            and _is_within(self.submitted_from, rma.created_at, self.submitted_to)
        )


@dataclass
class _Asked:
    """Parameters as they were given, and what is wrong with them."""

    given: Mapping[str, str]
    faults: list[str] = field(default_factory=list)

    def needed(self, name: str) -> str:
        if not self.given.get(name):
            self.faults.append(f"{name} should not be empty")
        return self.given.get(name, "")

    def whole(self, name: str, default: int) -> int:
        text = self.given.get(name, str(default))
        if text.isascii() and text.isdigit() and int(text) >= 1:
            return int(text)
        self.faults.append(f"{name} must not be less than 1")
        return default

    def size(self, default: int, most: int, *, refuses_more: bool) -> int:
        size = self.whole("items_per_page", default)
        if refuses_more and size > most:
            self.faults.append(f"items_per_page must not be greater than {most}")
        return min(size, most)

    def moment(self, name: str) -> datetime | None:
        if not self.given.get(name):
            return None
        try:
            return read_moment(self.given[name])
        except ValueError:
            self.faults.append(f"{name} must be a valid ISO 8601 date string")
            return None

    def echo(self, names: tuple[str, ...]) -> dict[str, object]:
        """The request as the answer repeats it; raises ``RefusalError`` when anything in it was wrong."""
        if self.faults:
            raise RefusalError(400, self.faults)
        given = {name: self.given[name] for name in names if name in self.given}
        return {name: int(text) if name in NUMBERS else text for name, text in given.items()}


def read_v2(given: Mapping[str, str], *, refuses_more: bool) -> Query:
    """Read the parameters of V2. Raises ``RefusalError``."""
    asked = _Asked(given)
    store = asked.needed("swap_store_id")
    size = asked.size(50, 100, refuses_more=refuses_more)
    page = asked.whole("page", 1)
    asked.whole("api_version", 2)
    updated_from, submitted_from, submitted_to = (asked.moment(name) for name in V2_DATES)
    return Query(
        store=store,
        page=page,
        size=size,
        echo=asked.echo(V2_ECHOED),
        rma_number=given.get("rma_number", ""),
        order_name=given.get("shopify_order_name", ""),
        email=given.get("customer_email", ""),
        updated_from=updated_from,
        submitted_from=submitted_from,
        submitted_to=submitted_to,
    )


def read_v1(given: Mapping[str, str], *, refuses_more: bool) -> Query:
    """Read the parameters of V1: a submission window beats the last update, which beats ``from_date``; others fall.

    Raises ``RefusalError``.
    """
    asked = _Asked(given)
    store = asked.needed("store")
    size = asked.size(50, 50, refuses_more=refuses_more)
    page = asked.whole("page", 1)
    asked.whole("version", 1)
    updated, changed_from, changed_to, submitted_from, submitted_to = (asked.moment(name) for name in V1_DATES)
    echo = asked.echo(V1_ECHOED)
    if submitted_from or submitted_to:
        return Query(store, page, size, echo, submitted_from=submitted_from, submitted_to=submitted_to)
    if updated:
        return Query(store, page, size, echo, updated_from=updated)
    return Query(store, page, size, echo, updated_from=changed_from, updated_to=changed_to)


def read_moment(text: str) -> datetime:
    """An ISO 8601 moment, UTC where it names no zone. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_within(start: datetime | None, moment: datetime, end: datetime | None) -> bool:
    return (start is None or moment >= start) and (end is None or moment <= end)
