"""A Khaos written from its contract alone, as a function of a request (khaos.md §5 to §8).

Belongs here: its books, how they look on the wire, and the import of our documents. Stays out: what the product makes
of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import httpx

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OPERATIONS = (
    *("GetVersion", "GetSiteList", "GetStockList", "ExportStock", "ExportStockStatus", "ExportOrderStatusEx"),
    *("ExportOrders", "GetCompanyInfo"),
)
WSDL = "http://schemas.xmlsoap.org/wsdl/"
CANCELLED_AT = "2026-03-10T12:00:00"
CANCELLING = (
    "<message name='CancelOrder0Request'><part name='OrderCode' type='string'/>"
    "<part name='AssociatedRef' type='string'/></message>",
    "<operation name='CancelOrder'><input message='tns:CancelOrder0Request'/></operation>",
)
"""What the WSDL tells of the add-on: a message with its parameters, and the operation."""
Refusal = Callable[[str, Mapping[str, str]], str]
"""Why an operation with these parameters is refused; empty: it is not."""


@dataclass
class Sold:
    """An issued Sales Order, or a Credit Note: lines of (Stock Code, units, pounds of one)."""

    code: str
    reference: str
    customer: str
    lines: Sequence[tuple[str, int, Decimal]]
    day: str
    delivery: Decimal = Decimal(0)
    is_note: bool = False
    is_issued: bool = True
    stage: int = 70
    is_cancelled: bool = False

    @property
    def pounds(self) -> Decimal:
        """Gross of its goods."""
        return sum((units * price for _, units, price in self.lines), Decimal(0))


@dataclass
class KhaosOnTheWire:
    """Its books. ``items_by`` says where a note's items are shown, ``absent`` what the WSDL does not name.

    With ``hides_codes`` ExportOrders shows no document's code. ``spoils`` gives what is answered in place of a result.
    ``aside`` are the levels of site 9. ``cancels`` is what CancelOrder answers; without it the WSDL does not name it.
    Codes of ``zero_sold`` were sold without VAT, whatever the item master says today (20 %).
    """

    documents: dict[str, Sold] = field(default_factory=dict)
    codes: dict[str, Decimal] = field(default_factory=dict)
    packs: dict[str, dict[str, int]] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    aside: dict[str, int] = field(default_factory=dict)
    credit: dict[str, str] = field(default_factory=dict)
    costs: dict[str, str] = field(default_factory=dict)
    zero_sold: set[str] = field(default_factory=set)
    items_by: str = "status"
    reference: str = "ours"
    hides_codes: bool = False
    ignores_prices: bool = False
    absent: frozenset[str] = frozenset()
    cancels: Callable[[Sold], str] | None = None
    refuses: Refusal = lambda operation, params: ""
    spoils: Refusal = lambda operation, params: ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def sell(self, number: int, *lines: tuple[str, int, str], delivery: str = "0", day: str = "20/02/2026") -> None:
        """The issued order KCCLX<number> of customer C<number>."""
        rows = [(code, units, Decimal(price)) for code, units, price in lines or (("HAT", 1, "10.00"),)]
        order = Sold(f"SO{number}", f"KCCLX{number}", f"C{number}", rows, day, Decimal(delivery))
        self.documents[order.code] = order
        for code, _, price in rows:
            self.codes.setdefault(code, price)
            self.levels.setdefault(code, 10)
            self.aside.setdefault(code, 0)

    def note(self, code: str, number: int, price: str, *, reference: str = "", sku: str = "HAT") -> None:
        """A note that staff typed for customer C<number> on 9 March 2026."""
        lines = [(sku, 1, Decimal(price))]
        self.documents[code] = Sold(code, reference, f"C{number}", lines, "09/03/2026", is_note=True)

    def take(self, document: Mapping[str, Any]) -> None:
        """Import a return document and process it: one issued Credit Note, sellable units back on the shelf."""
        lines = [self._line(item) for item in document["ReturnedItems"]]
        for item in document["ReturnedItems"]:
            if item["ReturnReason"]["ID"] == "1":
                self.levels[item["SKU"]] += int(item["Quantity"])
        order = document["ReturnedItems"][0]["SourceReference"]["SourceOrder"]["AssociatedRef"]
        reference = {"ours": document["AssociatedRef"], "order": order, "blank": ""}[self.reference]
        code = f"CN{100 + len(self.documents)}"
        self.documents[code] = Sold(code, reference, document["URN"], lines, "10/03/2026", is_note=True)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "/wsdl/" in request.url.path:
            named = "".join(f"<operation name='{name}'/>" for name in OPERATIONS if name not in self.absent)
            added = CANCELLING if self.cancels else ("", "")
            text = f"<definitions xmlns='{WSDL}'>{added[0]}<portType>{named}{added[1]}</portType></definitions>"
            return httpx.Response(200, text=text)
        call = next(iter(ElementTree.fromstring(request.content).find(f"{{{SOAP}}}Body") or ()))
        operation = call.tag.rsplit("}", 1)[-1]
        params = {child.tag.rsplit("}", 1)[-1]: child.text or "" for child in call}
        self.asked.append((operation, params))
        why = "method not found" if operation in self.absent else self.refuses(operation, params)
        if why:
            return httpx.Response(500, text=_fault(why))
        spoilt = self.spoils(operation, params)
        return httpx.Response(200, text=spoilt or self._answer(operation, params))

    def _line(self, item: Mapping[str, Any]) -> tuple[str, int, Decimal]:
        price = Decimal(str(item["UnitPrice"]["Gross"]))
        if self.ignores_prices:
            ref = item["SourceReference"]["SourceOrder"]["AssociatedRef"]
            order = next(one for one in self.documents.values() if one.reference == ref and not one.is_note)
            price = next(paid for code, _, paid in order.lines if code == item["SKU"])
        return item["SKU"], int(item["Quantity"]), price

    def _answer(self, operation: str, params: Mapping[str, str]) -> str:
        made: dict[str, Callable[[Mapping[str, str]], str]] = {
            "GetVersion": lambda _: "8.236.14.0",
            "GetSiteList": lambda _: (
                "<CurrentSiteID>1</CurrentSiteID><List><item><SiteID>1</SiteID><SiteName>Leeds</SiteName></item></List>"
            ),
            "GetStockList": self._stock_list,
            "ExportStock": lambda asked: escape(self._stock(asked)),
            "ExportStockStatus": lambda asked: escape(self._levels(asked)),
            "ExportOrderStatusEx": lambda asked: escape(self._statuses(asked)),
            "ExportOrders": lambda asked: escape(self._orders(asked)),
            "GetCompanyInfo": lambda asked: self._company(asked["CompanyCode"]),
            "CancelOrder": self._cancel,
        }
        return enveloped(operation, made[operation](params))

    def _cancel(self, asked: Mapping[str, str]) -> str:
        assert self.cancels
        order = self.documents[asked["OrderCode"]]
        assert order.reference == asked["AssociatedRef"]
        return escape(self.cancels(order))

    def _company(self, code: str) -> str:
        owed = f"<CreditUnallocated>{self.credit.get(code, '0')}</CreditUnallocated>"
        return f"<item><CompanyCode>{code}</CompanyCode><CurrencyCode>GBP</CurrencyCode>{owed}</item>"

    def _stock_list(self, _: Mapping[str, str]) -> str:
        rows = "".join(f"<item><StockCode>{code}</StockCode></item>" for code in self.codes)
        return f"<Count>{len(self.codes)}</Count><List>{rows}</List>"

    def _stock(self, asked: Mapping[str, str]) -> str:
        return f"<STOCK_ITEMS>{''.join(self._item(code) for code in _codes(asked) if code in self.codes)}</STOCK_ITEMS>"

    def _item(self, code: str) -> str:
        parts = "".join(
            f"<LINK_ITEM><STOCK_CODE>{part}</STOCK_CODE><LINK_TYPE>3</LINK_TYPE><LINK_VALUE>{units}</LINK_VALUE>"
            "</LINK_ITEM>"
            for part, units in self.packs.get(code, {}).items()
        )
        cost = f'<BUY_PRICE IS_NET="-1">{self.costs[code]}</BUY_PRICE>' if code in self.costs else ""
        return (
            f"<STOCK_ITEM><STOCK_CODE>{code}</STOCK_CODE><STOCK_ID>id-{code}</STOCK_ID><STOCK_DESC>{code}</STOCK_DESC>{cost}"
            f'<SELL_PRICE IS_NET="0">{self.codes[code]}</SELL_PRICE><VAT_RATE>20</VAT_RATE>'
            f"<DISCONTINUED>0</DISCONTINUED><STOCK_CONTROLLED>-1</STOCK_CONTROLLED><LINKED_ITEMS>{parts}</LINKED_ITEMS></STOCK_ITEM>"
        )

    def _levels(self, asked: Mapping[str, str]) -> str:
        levels = self.aside if asked.get("SiteID") == "9" else self.levels
        rows = "".join(
            f'<STOCK_ITEM CODE="{code}" ID="id-{code}"><LEVEL>{levels[code]}</LEVEL></STOCK_ITEM>'
            for code in _codes(asked)
            if code in levels
        )
        return f'<STOCK_STATUS SITE="Leeds">{rows}</STOCK_STATUS>'

    def _statuses(self, asked: Mapping[str, str]) -> str:
        wanted, by = _split(asked.get("IDs", "")), asked.get("MappingType", "1")
        key = {"1": "customer", "3": "code", "4": "reference"}[by]
        is_shown = {False, asked.get("IncludeCancelled", "0") not in ("0", "")}
        shown = [one for one in self.documents.values() if one.is_cancelled in is_shown]
        found = [one for one in shown if not wanted or getattr(one, key) in wanted]
        return f"<STATUS_LIST>{''.join(self._status(one) for one in found)}</STATUS_LIST>"

    def _status(self, one: Sold) -> str:
        kind = ("2", "Credit Note") if one.is_note else ("S", "Sales Order")
        stopped = f"<CANCELLED><CANCELLED_DATE_TIME>{CANCELLED_AT}</CANCELLED_DATE_TIME></CANCELLED>"
        return (
            f"<ORDER_STATUS SORDER_CODE={quoteattr(one.code)} ASSOCIATED_REF={quoteattr(one.reference)}>"
            f"<COMPANY_NAME COMPANY_CODE={quoteattr(one.customer)}>Ms A Patel</COMPANY_NAME>"
            f'<ORDER_TYPE TYPE_ID="{kind[0]}">{kind[1]}</ORDER_TYPE><CURRENCY_CODE>GBP</CURRENCY_CODE>'
            f"<DATE_CREATED>{one.day}</DATE_CREATED>"
            f"<ITEMS_TOTAL NET_VALUE='{self._goods_net(one)}'>{one.pounds}</ITEMS_TOTAL>"
            f"<DELIVERY_TOTAL NET_VALUE='{_net(one.delivery)}'>{one.delivery}</DELIVERY_TOTAL>"
            f"<COMPLETE>{-1 if one.is_issued else 0}</COMPLETE>{stopped if one.is_cancelled else ''}"
            f"<INVOICES>{self._invoice(one)}</INVOICES></ORDER_STATUS>"
        )

    def _goods_net(self, one: Sold) -> Decimal:
        free = sum((units * price for code, units, price in one.lines if code in self.zero_sold), Decimal(0))
        return free + _net(one.pounds - free)

    def _invoice(self, one: Sold) -> str:
        """The contract's own sample shows a note without one (khaos.md §7.4)."""
        if one.is_note and self.items_by != "status":
            return ""
        items = "".join(f'<INVOICE_ITEM STOCK_CODE="{code}" QTY_SENT="{units}"/>' for code, units, _ in one.lines)
        issued = one.day if one.stage >= 70 else ""
        return (
            f'<INVOICE INVOICE_CODE="INV-{one.code}" INVOICE_DATE="{one.day}" ISSUE_DATE="{issued}" '
            f'INVOICE_STAGE_ID="{one.stage}" INVOICE_STAGE_DESC="" MOVED="0">'
            f"<INVOICE_ITEMS>{items}</INVOICE_ITEMS></INVOICE>"
        )

    def _orders(self, asked: Mapping[str, str]) -> str:
        wanted, key = _split(asked["OrderCode"]), {"1": "code", "2": "reference"}[asked["MappingType"]]
        found = [
            one
            for one in self.documents.values()
            if getattr(one, key) in wanted and (self.items_by == "export" or not one.is_note)
        ]
        told = (_full(one, "" if self.hides_codes else one.code, self.zero_sold) for one in found)
        return f"<SALES_ORDERS>{''.join(told)}</SALES_ORDERS>"


def enveloped(operation: str, result: str) -> str:
    """An answer with this result."""
    name, told = f"NS1:{operation}Response", f"<return>{result}</return>"
    inner = f"<{name} xmlns:NS1='urn:IKosWebIntf-IKosWeb'>{told}</{name}>"
    return f"<E:Envelope xmlns:E='{SOAP}'><E:Body>{inner}</E:Body></E:Envelope>"


def read_document(text: str) -> list[dict[str, Any]]:
    """The returns of one answer of our feed; money as ``Decimal``."""
    rows: list[dict[str, Any]] = json.loads(text, parse_float=Decimal)["Returns"]
    return rows


def _full(one: Sold, shown_code: str, zero_sold: set[str]) -> str:
    named = f"<INTERNAL_REF>{shown_code}</INTERNAL_REF>" if shown_code else ""
    moment = datetime.strptime(one.day, "%d/%m/%Y").replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    items = "".join(
        f"<ORDER_ITEM><STOCK_CODE>{code}</STOCK_CODE><MAPPING_TYPE>1</MAPPING_TYPE><ORDER_QTY>{units}</ORDER_QTY>"
        f"<PRICE_GRS>{price}</PRICE_GRS><TAX_RATE>{2 if code in zero_sold else 1}</TAX_RATE>"
        f"<IMPORT_REF>line_{code}</IMPORT_REF></ORDER_ITEM>"
        for code, units, price in one.lines
    )
    address = "<IADDRESS1>4 Mill Row</IADDRESS1><ITOWN>Leeds</ITOWN><ICOUNTRY_CODE>GB</ICOUNTRY_CODE>"
    return (
        f"<SALES_ORDER><CUSTOMER_DETAIL><COMPANY_CODE>{one.customer}</COMPANY_CODE><ADDRESSES><INVADDR>{address}"
        f"<ISURNAME>Nolan</ISURNAME></INVADDR></ADDRESSES></CUSTOMER_DETAIL><ORDER_HEADER>{named}"
        f"<ORDER_DATE>{moment}</ORDER_DATE><ORDER_CURRENCY_CODE>GBP</ORDER_CURRENCY_CODE>"
        f"<ASSOCIATED_REF>{escape(one.reference)}</ASSOCIATED_REF><DELIVERY_GRS>{one.delivery}</DELIVERY_GRS>"
        f"</ORDER_HEADER><ORDER_ITEMS>{items}</ORDER_ITEMS></SALES_ORDER>"
    )


def _fault(why: str) -> str:
    return (
        f"<E:Envelope xmlns:E='{SOAP}'><E:Body><E:Fault><faultcode>E:Client</faultcode>"
        f"<faultstring>{escape(why)}</faultstring></E:Fault></E:Body></E:Envelope>"
    )


def _net(gross: Decimal) -> Decimal:
    return (gross / Decimal("1.2")).quantize(Decimal("0.01"))


def _codes(asked: Mapping[str, str]) -> list[str]:
    return _split(asked["StockCode"])


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"\s*,\s*", text) if part]
