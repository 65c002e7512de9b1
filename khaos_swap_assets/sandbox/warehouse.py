"""The warehouse: it opens parcels when they are due and tells the gateway what it found.

Belongs here: which inspections are due and their delivery, again and again until each was answered 200. Stays out: what
follows from a condition. The id of an inspection is made from the RMA and the row, so a repeat carries the same one.
"""

from __future__ import annotations

import httpx

from khaos_swap_assets.sandbox.channel import authorities
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.world import Rma, RmaLine

INSPECTOR = "warehouse-bench-1"


class Warehouse:
    """Posts due inspections; ``client`` carries the gateway's URL and the bearer token."""

    def __init__(self, books: Books, client: httpx.Client) -> None:
        self._books = books
        self._client = client

    def post_due(self) -> tuple[int, list[str]]:
        """Post every due inspection; (how many rows were answered 200, problems in plain words)."""
        with self._books.state.lock:
            due = [rma for rma in self._books.world.rmas.values() if self._is_due(rma)]
        posted, problems = 0, []
        for rma in due:
            try:
                posted += self._post(rma)
            except httpx.HTTPError as error:
                problems.append(f"warehouse: {rma.rma_number}: {type(error).__name__}: {error}")
                if isinstance(error, httpx.TransportError):
                    break
        return posted, problems

    def _is_due(self, rma: Rma) -> bool:
        return rma.inspect_at is not None and rma.inspect_at <= self._books.now and not rma.is_inspected

    def _post(self, rma: Rma) -> int:
        found = [line for line in rma.lines if line.condition]
        for line in found:
            self._client.post("inspections", json=_inspection(rma, line)).raise_for_status()
        with self._books.state.lock:
            rma.is_inspected = True
            self._books.touch(rma)
            self._books.flush()
        return len(found)


def warehouse_client(url: str, token: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client for the gateway at ``url`` with the warehouse's token."""
    bearer = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=url, headers=bearer, timeout=30.0, transport=transport, verify=authorities())


def _inspection(rma: Rma, line: RmaLine) -> dict[str, object]:
    inspected_at = rma.inspect_at
    return {
        "inspection_id": f"INS-{rma.rma_number}-{line.product_id}",
        "rma": f"{rma.store}:{rma.rma_number}" if rma.store else rma.rma_number,
        "sku": line.sku,
        "line_item_id": line.line_item_id,
        "condition": line.condition,
        "quantity": line.quantity,
        "inspected_at": inspected_at.isoformat() if inspected_at else "",
        "inspected_by": INSPECTOR,
    }
