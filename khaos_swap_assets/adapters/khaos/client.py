"""The Khaos web service in our words: one method an operation, records out.

Belongs here: parameters, chunks, windows and the meaning of refusals. Stays out: envelopes (``soap``), documents
(``stock``, ``status``, ``orders``), storing. Reads may be repeated; ``process_return`` and ``cancel_order`` are
sent once.
Source: contracts/khaos.md §5.4, §6, §7.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import httpx
from lxml import etree

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, SettingsError, VendorError
from khaos_swap_assets.adapters.http import Http
from khaos_swap_assets.adapters.khaos import capabilities, orders, status, stock, wire, writes
from khaos_swap_assets.adapters.khaos.chunks import addressable, each, gather
from khaos_swap_assets.adapters.khaos.envelope import KhaosFault, Param, UnusableDocumentError, Value
from khaos_swap_assets.adapters.khaos.records import FullOrder, NoteItems, StatusFeed, StockLevel
from khaos_swap_assets.adapters.khaos.soap import Soap
from khaos_swap_assets.adapters.khaos.tls import verify_for
from khaos_swap_assets.adapters.khaos.wire import Rows
from khaos_swap_assets.adapters.khaos.writes import ReturnRefused
from khaos_swap_assets.adapters.settings import KhaosSettings
from khaos_swap_assets.domain.records.stock_codes import StockCode

__all__ = ["FullOrder", "KhaosClient", "ReturnRefused", "StatusFeed", "StockLevel", "connect"]

NO_DATE = datetime(1899, 12, 31, tzinfo=UTC)
WINDOW = timedelta(days=7)
SMALLEST_WINDOW = timedelta(hours=1)
# Halving comes from a week to an hour in nine calls; so many refusals in a row are of the operation.
MOST_REFUSED = 12
BY_COMPANY, BY_SO_CODE, BY_REF = 1, 3, 4
DETAIL_BY_CODE, DETAIL_BY_REF = 1, 2
NO_ORDER = re.compile(
    r"\border\b.*\b(not found|does not exist|not exist)\b|\bno (such )?(sales )?orders?\b", re.IGNORECASE
)


def connect(
    settings: KhaosSettings,
    *,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> KhaosClient:
    """Open the session that the settings describe. Raises ``SettingsError``; close it with ``client.http.close()``."""
    if not settings.url:
        raise SettingsError("KHAOS_SWAP_KHAOS_URL is not set: the SOAP base up to .exe")
    http = Http(
        settings.url.rstrip("/"),
        timeout=settings.timeout_seconds,
        retries=settings.retries,
        verify=True if transport else verify_for(settings),
        auth=(settings.user, settings.password.get_secret_value()) if settings.user else None,
        transport=transport,
        sleep=sleep,
    )
    return KhaosClient(http, settings)


@dataclass(frozen=True)
class KhaosClient:
    """Calls over ``http``, whose base URL is ``settings.url``. Faults come back as values beside the rows."""

    http: Http
    settings: KhaosSettings

    @property
    def _soap(self) -> Soap:
        return Soap(self.http)

    def offers(self, operation: str) -> bool:
        """Whether the WSDL names an operation; true where the WSDL cannot be read, as then nothing is known."""
        try:
            return capabilities.read(self.http).has(operation)
        except VendorError:
            return True

    def get_version(self) -> str:
        """Version of the web service."""
        return self._soap.ask("GetVersion").text().strip()

    def get_site_list(self) -> dict[int, str]:
        """Site names by site id."""
        return stock.sites(self._soap.ask("GetSiteList").value())

    def get_stock_list(self, since: datetime | None, date_type: Literal[0, 2] = 0) -> Rows[str]:
        """Stock Codes revised (0) or moved (2) since a moment; all of them for None."""
        moment = wire.to_london(since) if since else NO_DATE
        params: dict[str, Param] = {"DateType": date_type, "DateValue": moment, "StockItemType": 0}
        return addressable(stock.changed_codes(self._soap.ask("GetStockList", params).value()))

    def export_stock(self, codes: Sequence[str]) -> Rows[StockCode]:
        """Catalogue items of these codes; a parent brings its children, each code comes once."""
        rows, faults = gather(codes, self.settings.chunk_size, self._stock_of)
        return list({row.stock_code: row for row in rows}.values()), faults

    def _stock_of(self, codes: Sequence[str]) -> Rows[StockCode]:
        params: dict[str, Param] = {"StockCode": ",".join(codes), "MappingType": 1, "LastUpdated": NO_DATE}
        return stock.read_stock(self._soap.ask_document("ExportStock", params))

    def export_stock_status(self, codes: Sequence[str], site_id: int) -> Rows[StockLevel]:
        """Units available to sell of these codes at one site."""
        return gather(codes, self.settings.chunk_size, lambda chunk: self._levels_of(chunk, site_id))

    def _levels_of(self, codes: Sequence[str], site_id: int) -> Rows[StockLevel]:
        params: dict[str, Param] = {
            "StockCode": ",".join(codes),
            "MappingType": 1,
            "LastUpdated": NO_DATE,
            "SiteID": site_id,
        }
        return stock.read_levels(self._soap.ask_document("ExportStockStatus", params), site_id)

    def export_order_status(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        company_codes: Sequence[str] | None = None,
        associated_refs: Sequence[str] | None = None,
        so_codes: Sequence[str] | None = None,
    ) -> StatusFeed:
        """Sales Orders and Credit Notes, by window (both ends) or by one kind of key. Times are UTC.

        Raises ``ValueError`` unless exactly one way is named.
        """
        keys = {BY_COMPANY: company_codes, BY_REF: associated_refs, BY_SO_CODE: so_codes}
        named = [(mapping, wanted) for mapping, wanted in keys.items() if wanted is not None]
        if since and until and not named:
            return status.feed(*self._statuses_between(since, until))
        if since or until or len(named) != 1:
            raise ValueError("name a window with both ends, or one kind of key")
        mapping, wanted = named[0]
        size = self.settings.chunk_size
        return status.feed(*gather(wanted, size, lambda chunk: self._statuses(",".join(chunk), mapping)))

    def _statuses_between(self, since: datetime, until: datetime) -> Rows[status.Document]:
        rows: list[status.Document] = []
        faults: list[wire.KhaosRowFault] = []
        refusals = [0]
        while since < until:
            end = min(since + WINDOW, until)
            got, bad = self._statuses_within(since, end, refusals)
            rows += got
            faults += bad
            since = end
        return rows, faults

    def _statuses_within(self, since: datetime, until: datetime, refusals: list[int]) -> Rows[status.Document]:
        """One window; one that is refused, or too large to read, is asked for again in halves, down to an hour.

        ``refusals`` holds how many calls in a row were refused: past some, Khaos refuses the operation, not an hour.
        """
        try:
            found = self._statuses("", BY_COMPANY, wire.to_london(since), wire.to_london(until))
        except (KhaosFault, UnusableDocumentError) as error:
            refusals[0] += 1
            if refusals[0] >= MOST_REFUSED:
                raise
            if until - since <= SMALLEST_WINDOW:
                told = f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
                return [], [wire.RefusedKey(told, str(error))]
        else:
            refusals[0] = 0
            return found
        middle = since + (until - since) / 2
        early, early_faults = self._statuses_within(since, middle, refusals)
        late, late_faults = self._statuses_within(middle, until, refusals)
        return early + late, early_faults + late_faults

    def _statuses(
        self, ids: str, mapping: int, since: datetime = NO_DATE, until: datetime = NO_DATE
    ) -> Rows[status.Document]:
        params: dict[str, Param] = {
            "IDs": ids,
            "MappingType": mapping,
            "WebOnly": 0,
            "ConfirmedOnly": 0,
            "IncludeTracking": -1 if since != NO_DATE else 0,
            "IncludeCancelled": -1,
            "DateFrom": since,
            "DateTo": until,
            "InvoiceStageIDs": "",
            "ShowItems": -1,
        }
        return status.read_statuses(self._soap.ask_document("ExportOrderStatusEx", params))

    def export_orders(self, associated_ref: str) -> list[FullOrder]:
        """Every Sales Order of this reference, with lines and party; empty when Khaos says that there is none.

        Orders that come without their codes are asked for one by one by those that the status feed names.
        """
        found = self._detail(associated_ref, DETAIL_BY_REF)
        return self._by_their_codes(associated_ref) if orders.lacks_codes(found) else orders.read_orders(found)

    def _by_their_codes(self, associated_ref: str) -> list[FullOrder]:
        feed = self.export_order_status(associated_refs=[associated_ref])
        lost = [one.reason for one in (*feed.faults, *feed.refused)]
        if lost or not feed.orders:
            why = f"the status feed cannot be read: {lost[0]}" if lost else "the status feed names no order of it"
            raise PermanentError(f"ExportOrders shows {associated_ref} without the code of its order, and {why}")
        codes = [one.so_code for one in feed.orders]
        return [orders.read_order(self._detail(code, DETAIL_BY_CODE), code) for code in codes]

    def export_note(self, code: str) -> NoteItems | None:
        """The goods of the Credit Note of this code; None when Khaos shows none. Raises ``VendorError``.

        Whether ExportOrders takes the code of a note is not documented (khaos.md §7.5).
        """
        return orders.read_note(self._detail(code, DETAIL_BY_CODE), code)

    def _detail(self, key: str, mapping: int) -> etree._Element | None:
        """The document of ExportOrders; None when Khaos says that it has no such order."""
        params: dict[str, Param] = {"OrderCode": key, "MappingType": mapping}
        try:
            return self._soap.ask_document("ExportOrders", params)
        except KhaosFault as fault:
            if NO_ORDER.search(fault.text):
                return None
            raise

    def export_orders_many(self, refs: Sequence[str]) -> Iterator[tuple[str, list[FullOrder] | VendorError]]:
        """``export_orders`` of many references, two at a time, in order; a failure stands in for its own reference.

        Closing the iterator drops what was not yet begun.
        """
        return each(refs, self.export_orders)

    def export_notes_many(self, codes: Sequence[str]) -> Iterator[tuple[str, NoteItems | VendorError | None]]:
        """``export_note`` of many codes, as ``export_orders_many``."""
        return each(codes, self.export_note)

    def get_company_info(self, company_code: str) -> tuple[str, int]:
        """Currency of a customer and its unallocated credit in minor units; positive is owed to the customer.

        Raises ``PermanentError`` when Khaos knows no such customer or says it in another shape.
        """
        answer = self._soap.ask("GetCompanyInfo", {"CompanyCode": company_code, "MappingType": BY_COMPANY}).value()
        found = [row for row in _structs(answer) if str(row.get("CompanyCode", "")).strip() == company_code]
        if len(found) != 1:
            raise PermanentError(f"GetCompanyInfo: {len(found)} customers have the code {company_code}")
        currency = str(found[0].get("CurrencyCode", "")).strip().upper()
        try:
            return currency, wire.to_money(str(found[0].get("CreditUnallocated", "")), currency)
        except ValueError as error:
            raise PermanentError(f"GetCompanyInfo {company_code}: CreditUnallocated: {error}") from None

    def process_return(self, return_code: str, auth_code: str) -> Literal["processed", "already_processed"]:
        """Have Khaos process a return and its Credit Note. Sent once, never repeated.

        Raises ``ReturnRefused`` for an answered refusal, ``InDoubtError`` when it may have happened (no answer, or
        one of unknown wording), ``TransientError`` when it was certainly not sent.
        """
        try:
            said = self._soap.change("ProcessReturn", {"ReturnCode": return_code, "ManualAuthCode": auth_code})
        except KhaosFault as fault:
            said = fault.text
        return writes.return_outcome(return_code, said)

    def cancel_parameters(self) -> tuple[str, ...]:
        """The names of the parameters of ``CancelOrder``, an add-on. Raises ``PermanentError`` where it is of no use.

        That is where the WSDL does not name it, or with a parameter that is not known.
        """
        return capabilities.read(self.http).cancel_parameters()

    def cancel_order(self, names: Sequence[str], so_code: str, associated_ref: str) -> str:
        """Ask Khaos to cancel a Sales Order, and what it said: only reading it back tells whether it did. Sent once.

        Raises ``OrderRefused`` for a documented refusal, ``InDoubtError`` without an answer or after an error of other
        words, ``TransientError`` when it was certainly not sent.
        """
        params: dict[str, Param] = {**writes.cancel_parameters(names, so_code, associated_ref)}
        try:
            return writes.heard_of_cancelling(self._soap.change(writes.CANCEL, params))
        except KhaosFault as fault:
            said = writes.heard_of_cancelling(fault.text)
            raise InDoubtError(f"{writes.CANCEL} {so_code}: Khaos answered {said!r}") from None

    def import_stock_level(self, stock_code: str, site: str, level: int) -> bool:
        """Set the units available of a Stock Code at a site, by its name; whether Khaos says that it did. Sent once.

        Raises as ``cancel_order`` does, and ``KhaosFault`` when it was answered with a fault.
        """
        parameters = writes.level_parameters(stock_code, site, level)
        return stock_code in self._soap.change_list("ImportStockStatus", parameters)


def _structs(value: Value) -> list[dict[str, Value]]:
    rows = value if isinstance(value, list) else [value]
    return [row for row in rows if isinstance(row, dict)]
