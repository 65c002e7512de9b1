"""Searching Khaos for every note of some customers, and knowing for whom the search really was one.

Belongs here: what counts as having searched. Stays out: SOAP, and what a search proves (``engine``). A document may
leave because a search found nothing, so an answer with a row that could not be read, or with nothing at all for a
customer who has an order, is no search of that customer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from khaos_swap_assets.adapters.errors import PermanentError

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import StatusFeed


class StatusReader(Protocol):
    """The one read of the Khaos web service that a search needs."""

    def export_order_status(self, *, company_codes: Sequence[str]) -> StatusFeed:
        """Every document of these customers."""


@dataclass(frozen=True, slots=True)
class Search:
    """The answers, and the customers about whom they say everything; ``refusal`` where Khaos refused to be searched."""

    feeds: tuple[StatusFeed, ...]
    customers: frozenset[str]
    refusal: PermanentError | None = None


def search(client: StatusReader, customers: Sequence[str]) -> Search:
    """Search these customers. Raises ``TransientError`` when Khaos answers nothing.

    Where an answer holds a row that could not be read, halves are asked again until the customer whose row it is
    stands alone; only that one stays unsearched.
    """
    if not customers:
        return Search((), frozenset())
    try:
        feed = client.export_order_status(company_codes=customers)
    except PermanentError as error:
        return Search((), frozenset(), error)
    if not feed.faults:
        refused = {one.subject for one in feed.refused}
        return Search((feed,), (_answered(feed) & frozenset(customers)) - refused)
    if len(customers) == 1:
        return Search((feed,), frozenset())
    middle = len(customers) // 2
    left, right = search(client, customers[:middle]), search(client, customers[middle:])
    refusal = left.refusal or right.refusal
    return Search((*left.feeds, *right.feeds), left.customers | right.customers, refusal)


def _answered(feed: StatusFeed) -> frozenset[str]:
    seen = {order.customer_code for order in feed.orders}
    return frozenset(seen | {note.customer_code for note in feed.credit_notes})
