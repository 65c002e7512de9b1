"""The Khaos channel that calls our gateway: it pulls returns from the feed and may push stock.

Belongs here: the configuration handshake, continuation, SpecificIDs, lost and repeated pulls, pushes (khaos.md §8).
Stays out: what a document becomes in the ledger (``khaos_returns``). No call is made while the state's lock is held.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import urljoin

import httpx

from khaos_swap_assets.sandbox import switches
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_returns import import_document
from khaos_swap_assets.sandbox.world import ReturnDocument, StockItem

FIRST_CONTACT = "2019-12-31 12:00:00Z"
CONFIG_EVERY = timedelta(days=1)
CONTINUATION, SPECIFIC_IDS = "Sirion-Continuation", "SpecificIDs"
PUSH_SIZE = 100

Json = Mapping[str, object]


@dataclass(frozen=True)
class Pulled:
    """What one round of the channel did: documents fetched, documents taken in, and problems in plain words."""

    fetched: int = 0
    imported: int = 0
    problems: tuple[str, ...] = ()

    def plus(self, other: Pulled) -> Pulled:
        """Both rounds together."""
        return Pulled(self.fetched + other.fetched, self.imported + other.imported, (*self.problems, *other.problems))


class Channel:
    """One channel of type "3rd Party API"; ``client`` carries the base URL and the channel's user and password."""

    def __init__(self, books: Books, client: httpx.Client) -> None:
        self._books = books
        self._client = client

    def pull(self) -> Pulled:
        """One round: the configuration when a day has passed, then the feed, with whatever fault is armed."""
        try:
            self._read_config()
            done = self._pull_once()
            if self._books.state.faults.take("channel_duplicate_pull"):
                done = done.plus(self._pull_once(forgets_token=True))
            return done.plus(self._retry())
        except (httpx.HTTPError, ValueError) as error:
            return Pulled(problems=(f"channel: {type(error).__name__}: {error}",))

    def push(self) -> Pulled:
        """One round of pushes; a failure is a problem in plain words and is tried again at the next round."""
        try:
            self.push_stock()
        except httpx.HTTPError as error:
            return Pulled(problems=(f"channel push: {type(error).__name__}: {error}",))
        return Pulled()

    def push_stock(self) -> int:
        """Push items and levels that changed since the last push, at most 100 a request; returns how many items."""
        if not switches.is_on(self._books.state, "stock_push"):
            return 0
        with self._books.state.lock:
            since = self._moment("stock_pushed_at")
            moved = [item for item in self._books.world.items.values() if _is_due(item, since)]
            now = self._books.now
        for start in range(0, len(moved), PUSH_SIZE):
            page = moved[start : start + PUSH_SIZE]
            self._post("StockUpload", "/khaos/stock", self._upload(page))
            levels = [level for item in page for level in _levels(item)]
            for first in range(0, len(levels), PUSH_SIZE):
                self._post("StockStatusUpload", "/khaos/stock-status", {"Statuses": levels[first : first + PUSH_SIZE]})
        self._remember("stock_pushed_at", now.isoformat())
        return len(moved)

    def _upload(self, page: Sequence[StockItem]) -> Json:
        ids = {code: item.stock_id for code, item in self._books.world.items.items()}
        told = [item for item in page if item.parts and all(part.value_proportion for part in item.parts)]
        packs = [pack_of(item, ids) for item in told]
        return {"Items": [_stock_item(item) for item in page], "Deleted": [], "Relationships": packs}

    def _pull_once(self, *, forgets_token: bool = False) -> Pulled:
        faults = self._books.state.faults
        token = self._memory("previous_token" if forgets_token else "token", FIRST_CONTACT)
        documents, next_token = self._get({CONTINUATION: token})
        if faults.take("channel_response_lost"):
            return Pulled(fetched=len(documents), problems=("channel: the answer of the feed was lost",))
        is_half = faults.take("channel_fault_after_commit")
        taken = self._import(documents[: (len(documents) + 1) // 2] if is_half else documents)
        if is_half or faults.take("channel_lost_acknowledgement"):
            return Pulled(len(documents), len(taken), ("channel: imported, but the continuation was not kept",))
        self._remember("previous_token", token)
        self._remember("token", next_token or token)
        if taken and faults.take("channel_specific_ids"):
            self._remember("retry_ids", ",".join(document.associated_ref for document in taken))
        return Pulled(len(documents), len(taken))

    def _retry(self) -> Pulled:
        """Ask again for single returns by reference, as a user's Retry Download does; no continuation is kept."""
        wanted = self._memory("retry_ids", "")
        if not wanted:
            return Pulled()
        headers = {CONTINUATION: self._memory("token", FIRST_CONTACT), SPECIFIC_IDS: f'"{wanted}"'}
        documents, _ = self._get(headers)
        self._remember("retry_ids", "")
        return Pulled(len(documents), len(self._import(documents)))

    def _get(self, headers: Mapping[str, str]) -> tuple[list[Json], str]:
        answer = self._client.get(self._memory("returns_url", "khaos/returns"), headers=dict(headers))
        answer.raise_for_status()
        body = json.loads(answer.content, parse_float=str)
        found = body.get("Returns") if isinstance(body, dict) else None
        if not isinstance(found, list) or "ApiVersion" not in body:
            raise ValueError("the answer of the feed has no list Returns or no ApiVersion")
        return [one for one in found if isinstance(one, dict)], answer.headers.get(CONTINUATION, "")

    def _import(self, documents: Sequence[Json]) -> list[ReturnDocument]:
        with self._books.state.lock:
            taken = [import_document(self._books, document) for document in documents]
            self._books.flush()
        return taken

    def _read_config(self) -> None:
        read_at = self._moment("config_read_at")
        if read_at and self._books.now < read_at + CONFIG_EVERY:
            return
        answer = self._client.get("khaos/config")
        answer.raise_for_status()
        config = answer.json().get("EndpointConfig", {})
        for key, member in (
            ("returns_url", "CReturnDownload"),
            ("StockUpload", "StockUpload"),
            ("StockStatusUpload", "StockStatusUpload"),
        ):
            url = config.get(member, {}).get("URL", "")
            if url:
                self._remember(key, urljoin(str(self._client.base_url), url))
        self._remember("config_read_at", self._books.now.isoformat())

    def _post(self, member: str, path: str, body: Json) -> None:
        self._client.post(self._memory(member, path), json=body).raise_for_status()

    def _memory(self, name: str, default: str) -> str:
        return self._books.world.memory.get(f"channel_{name}", default)

    def _moment(self, name: str) -> datetime | None:
        text = self._memory(name, "")
        return datetime.fromisoformat(text) if text else None

    def _remember(self, name: str, value: str) -> None:
        if self._memory(name, "") == value:
            return
        with self._books.state.lock:
            self._books.world.memory[f"channel_{name}"] = value
            self._books.touch(self._books.world)
            self._books.flush()


@cache
def authorities() -> ssl.SSLContext:
    """Whom every client of the sandbox trusts; read once, as to read them takes longer than a call."""
    return httpx.create_ssl_context()


def gateway_client(url: str, user: str, password: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client for the gateway at ``url`` with the channel's Basic credentials."""
    return httpx.Client(base_url=url, auth=(user, password), timeout=30.0, transport=transport, verify=authorities())


def _is_due(item: StockItem, since: datetime | None) -> bool:
    return since is None or any(at and at > since for at in (item.revised_at, item.moved_at))


def _stock_item(item: StockItem) -> Json:
    return {
        "StockID": item.stock_id,
        "StockCode": item.stock_code,
        "ShortDescription": item.description,
        "OtherRef": item.other_ref,
        "Options": {"Discontinued": item.is_discontinued, "StockControlled": item.is_stock_controlled},
        "Barcodes": [{"Barcode": item.barcode, "Type": {"ID": "2", "Name": "EAN"}}] if item.barcode else [],
    }


def pack_of(item: StockItem, ids: Mapping[str, str]) -> Json:
    """What a pack holds, and of how much of its value each component is (khaos.md §8.5)."""
    held = [
        {
            "LinkedStockID": ids[part.stock_code],
            "Quantity": part.quantity,
            "ValueProportion": float(part.value_proportion),
        }
        for part in item.parts
    ]
    return {"StockID": item.stock_id, "PackType": "Pack", "PackItems": held}


def _levels(item: StockItem) -> list[Json]:
    sites = {1: item.available, 9: item.quarantine}
    return [
        {"StockCode": item.stock_code, "StockID": item.stock_id, "SiteID": site, "Levels": {"Available": level}}
        for site, level in sites.items()
    ]
