"""The sandbox's Khaos web service: SOAP over HTTP with the manners of contracts/khaos.md §5-§7.

Belongs here: the operations, their parameters and rules, the faults armed against them. Stays out: XML of the answers
(``khaos_documents``, ``khaos_wire``) and the ledger (``khaos_returns``). A fault touches the wire, never the truth.
"""

from __future__ import annotations

import secrets
import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from khaos_swap_assets.sandbox import khaos_documents as documents
from khaos_swap_assets.sandbox import khaos_refusing, switches
from khaos_swap_assets.sandbox.khaos_books import Books, Entry
from khaos_swap_assets.sandbox.khaos_cancelling import cancel_order
from khaos_swap_assets.sandbox.khaos_interface import OPERATIONS, OPTIONAL, SWITCH_OF, WRITING, Operation
from khaos_swap_assets.sandbox.khaos_returns import process_return
from khaos_swap_assets.sandbox.khaos_stock import import_status
from khaos_swap_assets.sandbox.khaos_wire import (
    KhaosFaultError,
    Result,
    Struct,
    WireError,
    answer,
    fault,
    is_flag,
    money,
    read_call,
    read_moment,
    stamp,
)
from khaos_swap_assets.sandbox.khaos_wsdl import ENCODING_SCHEMA, wsdl
from khaos_swap_assets.sandbox.world import Customer, Note, Order, StockItem

BASE = "/LiveSoap/KhaosSBX.exe"
VERSION = "8.236.14.0"
XML = "text/xml; charset=utf-8"

Parameters = Mapping[str, str]


@dataclass(frozen=True)
class BasicAuth:
    """User and password in front of the service; both empty means that it is open."""

    user: str = ""
    password: str = ""

    def accepts(self, header: str) -> bool:
        """Whether an Authorization header is the right one."""
        if not self.user:
            return True
        try:
            given = b64decode(header.removeprefix("Basic "), validate=True)
        except (Base64Error, ValueError):
            return False
        return secrets.compare_digest(given, f"{self.user}:{self.password}".encode())


def khaos_router(books: Books, auth: BasicAuth | None = None) -> APIRouter:
    """The web service over ``books``: its WSDL and its SOAP endpoint."""
    router = APIRouter()
    guard = auth or BasicAuth()

    @router.get(f"{BASE}/wsdl/IKosWeb")
    def read_wsdl(request: Request) -> Response:
        if not guard.accepts(request.headers.get("authorization", "")):
            return _unauthorized()
        return Response(wsdl(str(request.base_url).rstrip("/") + BASE, _offered(books)), media_type=XML)

    @router.get(f"{BASE}/wsdl/encoding")
    def read_encoding() -> Response:
        return Response(ENCODING_SCHEMA, media_type=XML)

    @router.post(f"{BASE}/soap/IKosWeb")
    async def call(request: Request) -> Response:
        if not guard.accepts(request.headers.get("authorization", "")):
            return _unauthorized()
        body = await request.body()
        return await run_in_threadpool(_answer_call, books, body)

    return router


def _unauthorized() -> Response:
    return Response("Unauthorized", status_code=401, headers={"WWW-Authenticate": 'Basic realm="KhaosSBX"'})


def _answer_call(books: Books, body: bytes) -> Response:
    """Answer one SOAP call; what an armed fault spoils is only the answer, after the truth is written."""
    faults = books.state.faults
    with books.state.lock:
        is_slow = faults.take("khaos_slow")
        refused = next((status for name, status in (("khaos_500", 500), ("khaos_429", 429)) if faults.take(name)), 0)
        text, status = ("", refused) if refused else _run(books, body)
        is_spoilt = status == 200 and faults.take("khaos_truncated")
    if is_slow:
        time.sleep(float(books.state.switch("slow_seconds", "3")))
    if refused:
        return Response("Service unavailable", status_code=refused, headers={"Retry-After": "1"})
    return Response(text[: len(text) // 2] if is_spoilt else text, status_code=status, media_type=XML)


def _run(books: Books, body: bytes) -> tuple[str, int]:
    state = books.state
    try:
        operation, parameters = read_call(body)
        handler = _operation(books, operation)
        khaos_refusing.refuse(books.state, operation, _records(books, operation, parameters))
        result = handler(books, parameters)
        books.flush()
        if operation in WRITING and state.faults.take("khaos_fault_after_commit"):
            return "Bad gateway", 502
    except WireError as error:
        return fault(KhaosFaultError(f"Invalid request: {error}", "EDOMParseError"), "A"), 500
    except KhaosFaultError as error:
        books.flush()
        return fault(error, switches.value(state, "fault_shape")), int(switches.value(state, "fault_http"))
    is_multiref, has_cdata = switches.is_on(state, "multiref"), switches.is_on(state, "cdata")
    return answer(operation, result, is_multiref=is_multiref, has_cdata=has_cdata), 200


def _offered(books: Books) -> dict[str, Operation]:
    """The operations that this installation has."""
    optional = {name: OPTIONAL[name] for name in OPTIONAL if switches.is_on(books.state, SWITCH_OF[name])}
    every = {**OPERATIONS, **optional}
    return {name: shape for name, shape in every.items() if not khaos_refusing.is_absent(books.state, name)}


def _records(books: Books, operation: str, parameters: Parameters) -> list[str]:
    """The codes of what the answer of a call would hold."""
    if operation in ("ExportStock", "ExportStockStatus"):
        return [item.stock_code for item in _items(books, parameters, is_movement=operation != "ExportStock")]
    if operation == "ExportOrderStatusEx":
        entries = _status_entries(books, parameters)
        return [entry.so_code if isinstance(entry, Order) else entry.code for entry in entries]
    named = {"ExportOrders": "OrderCode", "GetCompanyInfo": "CompanyCode"}.get(operation)
    return _codes(parameters.get(named, "")) if named else []


def _operation(books: Books, name: str) -> Callable[[Books, Parameters], Result]:
    if name not in _offered(books):
        raise KhaosFaultError(f"Method {name} is not a valid method of this service", "ESOAPHTTPException")
    return HANDLERS[name]


def _style(books: Books, *, shows_items: bool = True) -> documents.Style:
    return documents.Style(
        has_cdata=switches.is_on(books.state, "cdata"),
        has_extra_tags=switches.is_on(books.state, "extra_tags"),
        has_negative_notes=switches.value(books.state, "note_signs") == "negative",
        shows_items=shows_items,
        shows_note_items=switches.value(books.state, "note_items") == "status",
        shows_order_codes=switches.value(books.state, "order_codes") == "shown",
        items=books.world.items,
        pack_orders=switches.value(books.state, "pack_orders"),
        pack_notes=switches.value(books.state, "pack_notes"),
    )


def _codes(text: str) -> list[str]:
    return [code for code in text.split(",") if code.strip()]


def _get_version(_books: Books, _parameters: Parameters) -> Result:
    return VERSION


def _get_site_list(_books: Books, _parameters: Parameters) -> Result:
    sites = [{"SiteID": site_id, "SiteName": name} for site_id, name in documents.SITES.items()]
    return {"CurrentSiteID": 1, "List": sites}


def _get_stock_list(books: Books, parameters: Parameters) -> Result:
    since = read_moment(parameters.get("DateValue", ""))
    is_movement = parameters.get("DateType", "0") == "2"
    changed = [item for item in books.world.items.values() if _is_changed(_changed_at(item, is_movement), since)]
    has_zero_date = switches.is_on(books.state, "zero_dates")
    rows = [_stock_row(item, stamp(_changed_at(item, is_movement), has_zero_date=has_zero_date)) for item in changed]
    return {"Count": len(rows), "List": rows}


def _changed_at(item: StockItem, is_movement: bool) -> datetime | None:
    return item.moved_at if is_movement else item.revised_at


def _is_changed(changed_at: datetime | None, since: datetime | None) -> bool:
    return since is None or (changed_at is not None and changed_at >= since)


def _stock_row(item: StockItem, last_updated: str) -> Struct:
    fields = {"StockCode": item.stock_code, "OtherRef": item.other_ref, "StockDesc": item.description}
    return {**fields, "ParentCode": "", "ParentOtherRef": "", "LastUpdated": last_updated}


def _export_stock(books: Books, parameters: Parameters) -> Result:
    return documents.stock_items(_items(books, parameters, is_movement=False), _style(books))


def _export_stock_status(books: Books, parameters: Parameters) -> Result:
    site_id = int(parameters.get("SiteID") or 1)
    if site_id != -1 and site_id not in documents.SITES:
        raise KhaosFaultError(f"Site {site_id} does not exist")
    return documents.stock_status(_items(books, parameters, is_movement=True), site_id)


def _items(books: Books, parameters: Parameters, *, is_movement: bool) -> list[StockItem]:
    """Items by code (1) or Other Ref (2), unknown ones simply absent; without codes those changed since."""
    asked = _codes(parameters.get("StockCode", ""))
    items = books.world.items
    if not asked:
        since = read_moment(parameters.get("LastUpdated", ""))
        return [item for item in items.values() if _is_changed(_changed_at(item, is_movement), since)]
    if parameters.get("MappingType") == "2":
        return [item for item in items.values() if item.other_ref in asked]
    return [items[code] for code in asked if code in items]


def _export_order_status(books: Books, parameters: Parameters) -> Result:
    stages = set(_codes(parameters.get("InvoiceStageIDs", "")))
    has_cancelled = is_flag(parameters.get("IncludeCancelled", ""))
    entries = [
        entry
        for entry in _status_entries(books, parameters)
        if (has_cancelled or not _is_cancelled(entry)) and (not stages or str(entry.stage_id) in stages)
    ]
    rows = [(entry, books.customer(entry.urn)) for entry in entries]
    return documents.status_list(rows, _style(books, shows_items=is_flag(parameters.get("ShowItems", ""))))


def _status_entries(books: Books, parameters: Parameters) -> list[Entry]:
    ids = _codes(parameters.get("IDs", ""))
    start = read_moment(parameters.get("DateFrom", ""))
    end = read_moment(parameters.get("DateTo", ""), is_end=True)
    if not ids:
        if start is None or end is None:
            raise KhaosFaultError("DateFrom and DateTo must be given when no IDs are")
        return list(books.between(start, end))
    finders = {"1": books.by_customer, "2": books.by_other_ref, "3": books.by_code, "4": books.by_ref}
    find = finders.get(parameters.get("MappingType", "1"))
    if find is None:
        raise KhaosFaultError(f"Mapping Type {parameters.get('MappingType')} is not valid")
    return [entry for one in dict.fromkeys(ids) for entry in find(one)]


def _is_cancelled(entry: Entry) -> bool:
    return isinstance(entry, Order) and entry.is_cancelled


def _export_orders(books: Books, parameters: Parameters) -> Result:
    find = {"1": books.by_code, "2": books.by_ref}.get(parameters.get("MappingType", "1"))
    if find is None:
        raise KhaosFaultError(f"Mapping Type {parameters.get('MappingType')} is not valid")
    takes_notes = switches.value(books.state, "note_items") == "export"
    found = [one for one in find(parameters.get("OrderCode", "")) if takes_notes or not isinstance(one, Note)]
    return documents.sales_orders([(entry, books.customer(entry.urn)) for entry in found], _style(books))


def _get_company_info(books: Books, parameters: Parameters) -> Result:
    found = (books.customer(code) for code in _codes(parameters.get("CompanyCode", "")))
    return [_company(customer) for customer in found if customer]


def _company(customer: Customer) -> Struct:
    return {
        "CompanyCode": customer.urn,
        "CompanyName": f"{customer.forename} {customer.surname}",
        "OtherRef": customer.email,
        "HideCompany": False,
        "CreditLimit": money(0),
        "CreditUnallocated": money(customer.unallocated_pence),
        "CurrencyCode": customer.currency,
        "CreditStop": False,
        "PaysVAT": True,
    }


HANDLERS: Mapping[str, Callable[[Books, Parameters], Result]] = {
    "GetVersion": _get_version,
    "GetSiteList": _get_site_list,
    "GetStockList": _get_stock_list,
    "ExportStock": _export_stock,
    "ExportStockStatus": _export_stock_status,
    "ExportOrderStatusEx": _export_order_status,
    "ExportOrders": _export_orders,
    "ImportStockStatus": import_status,
    "GetCompanyInfo": _get_company_info,
    "ProcessReturn": lambda books, asked: process_return(
        books, asked.get("ReturnCode", ""), asked.get("ManualAuthCode", "")
    ),
    "CancelOrder": lambda books, asked: cancel_order(books, asked.get("OrderCode", ""), asked.get("AssociatedRef", "")),
}
