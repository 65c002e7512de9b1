"""Order detail: lines with their gross value, the party of a return document, and the goods of a Credit Note.

Belongs here: ``SALES_ORDERS`` documents made into ``FullOrder`` or ``NoteItems``, the arithmetic of a Khaos line.
Stays out: calls (``client``). Telephone, e-mail, payments and passwords are never read.
Source: contracts/khaos.md §7.5, §7.6, §10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import TypeVar

from lxml import etree

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos import wire
from khaos_swap_assets.adapters.khaos.records import FullOrder, NoteItems
from khaos_swap_assets.adapters.khaos.status import kind_of
from khaos_swap_assets.domain.money.amounts import from_pence, to_pence
from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder

RATES: Mapping[str, Decimal] = {"1": Decimal("0.20"), "2": Decimal(0), "4": Decimal("0.05")}
_TYPE = "ORDER_HEADER/INTERNAL_REF"
_CODES = ("@SORDER_CODE", "ORDER_HEADER/SORDER_CODE", "ORDER_HEADER/FORCE_SORDER_CODE", _TYPE)
_ADDRESS = {
    "Line1": ("IADDRESS1", 35),
    "Line2": ("IADDRESS2", 35),
    "Line3": ("IADDRESS3", 35),
    "Town": ("ITOWN", 35),
    "County": ("ICOUNTY", 35),
    "Postcode": ("IPOSTCODE", 10),
}
LONGEST_COUNTRY = 50
Found = TypeVar("Found")
_CONTACT = {"Title": ("ITITLE", 20), "Forename": ("IFORENAME", 50), "Surname": ("ISURNAME", 50)}


def read_orders(root: etree._Element | None) -> list[FullOrder]:
    """Every Sales Order of the document; Credit Notes under the same reference are left out.

    Raises ``PermanentError`` when one cannot be read: half an answer could make an ambiguous reference look clear.
    """
    elements = [] if root is None else list(root.iterfind("SALES_ORDER"))
    orders, faults = wire.read_rows([found for found in elements if not _is_note(found)], _full_order, *_CODES)
    if faults:
        raise PermanentError(f"order {faults[0].subject}: {faults[0].reason}")
    return orders


def lacks_codes(root: etree._Element | None) -> bool:
    """Whether a document that may be a Sales Order comes without its code."""
    elements = [] if root is None else list(root.iterfind("SALES_ORDER"))
    return any(not _codes_of(one) for one in elements if not _is_note(one))


def read_order(root: etree._Element | None, code: str) -> FullOrder:
    """Sales Order ``code`` of the answer to its own code. Raises ``PermanentError`` unless one document is it."""
    found = _of_code(root, code, f"order {code}", partial(_full_order, code=code))
    if found is None:
        raise PermanentError(f"order {code}: ExportOrders shows nothing under its code")
    return found


def read_note(root: etree._Element | None, code: str) -> NoteItems | None:
    """The goods of Credit Note ``code``; None where the answer holds none of that code, or one without goods.

    Raises ``PermanentError`` where its document is a Sales Order, cannot be read, or cannot be told from others.
    """
    found = _of_code(root, code, f"Credit Note {code}", _note_items)
    return found if found and found.lines else None


def _of_code(
    root: etree._Element | None, code: str, name: str, parse: Callable[[etree._Element], Found]
) -> Found | None:
    """What an answer to one code holds of it: a document that comes alone need not repeat its code (khaos.md §7.5)."""
    elements = [] if root is None else list(root.iterfind("SALES_ORDER"))
    nameless = [one for one in elements if not _codes_of(one)]
    if len(elements) > 1 and nameless:
        raise PermanentError(f"{name}: {len(elements)} documents, some without their codes, cannot be told apart")
    named = nameless or [one for one in elements if code in _codes_of(one)]
    found, faults = wire.read_rows(named, parse, *_CODES)
    if faults or len(found) > 1:
        raise PermanentError(f"{name}: {faults[0].reason if faults else 'two documents have its code'}")
    return found[0] if found else None


def _codes_of(element: etree._Element) -> set[str]:
    return {found for path in _CODES if (found := wire.words(element, path))}


def _note_items(note: etree._Element) -> NoteItems:
    """A document without a type was asked for as a note; quantities may carry either sign (khaos.md §7.4, §7.5)."""
    if _kind(note) == "order":
        raise ValueError("ExportOrders answers its code with a Sales Order")
    units: dict[str, int] = {}
    for item in note.iterfind("ORDER_ITEMS/ORDER_ITEM"):
        wire.added(units, wire.code(item, "STOCK_CODE"), abs(wire.quantity(item, "ORDER_QTY")))
    return NoteItems(tuple(units.items()), wire.text(note, "CUSTOMER_DETAIL/COMPANY_CODE"))


def _is_note(order: etree._Element) -> bool:
    """Documents that name no type are orders: the schema is that of an order import (khaos.md §7.5)."""
    return _kind(order) == "note"


def _kind(order: etree._Element) -> str:
    """``order`` or ``note``; empty where the document names no type, or none that is known."""
    if not wire.words(order, f"{_TYPE}/@TYPE_ID") and not wire.words(order, f"{_TYPE}/@TYPE_DESC"):
        return ""
    try:
        return kind_of(order, f"{_TYPE}/@TYPE_DESC", f"{_TYPE}/@TYPE_ID")
    except ValueError:
        return ""


def _full_order(order: etree._Element, code: str = "") -> FullOrder:
    """``code`` is that of an order which was asked for by it."""
    header = "ORDER_HEADER/"
    currency = wire.currency(order, f"{header}ORDER_CURRENCY_CODE")
    items = order.iterfind("ORDER_ITEMS/ORDER_ITEM")
    return FullOrder(
        SalesOrder(
            so_code=code or _so_code(order),
            associated_ref=wire.required(order, f"{header}ASSOCIATED_REF"),
            customer_code=wire.text(order, "CUSTOMER_DETAIL/COMPANY_CODE"),
            currency=currency,
            ordered_on=wire.day(order, f"{header}ORDER_DATE"),
            invoiced_on=None,
            is_cancelled=False,
            delivery_gross_pence=_delivery(order, currency),
            lines=tuple(_line(number, item, currency) for number, item in enumerate(items, start=1)),
        ),
        _party(order),
    )


def _so_code(order: etree._Element) -> str:
    found = next((code for path in _CODES if (code := wire.text(order, path))), "")
    if not found:
        raise ValueError("the order carries no Sales Order code")
    return found


def _line(line_no: int, item: etree._Element, currency: str) -> OrderLine:
    tax_code = wire.text(item, "TAX_RATE") or "1"
    return OrderLine(
        line_no=line_no,
        stock_code=wire.code(item, "STOCK_CODE"),
        quantity=wire.quantity(item, "ORDER_QTY"),
        gross_pence=_line_gross(item, tax_code, currency),
        vat_code=tax_code,
        import_ref=wire.text(item, "IMPORT_REF"),
    )


def _line_gross(item: etree._Element, tax_code: str, currency: str) -> int:
    units = Decimal(wire.quantity(item, "ORDER_QTY"))
    discount = wire.number(item, "KSD_DISCOUNT") or Decimal(0)
    gross, net = wire.number(item, "PRICE_GRS"), wire.number(item, "PRICE_NET")
    if gross is not None:
        return line_gross(gross, units, discount, currency)
    if net is None:
        raise ValueError("PRICE_GRS is missing, and PRICE_NET too")
    if tax_code not in RATES:
        raise ValueError(f"TAX_RATE: the percentage of code {tax_code[:20]!r} is unknown, and the price is net")
    return line_gross_from_net(net, units, discount, RATES[tax_code], currency)


def line_gross(unit_gross: Decimal, units: Decimal, discount_percent: Decimal, currency: str) -> int:
    """Value of a line worked gross, in pence: the discount is rounded half-up on the line (khaos.md §10)."""
    return to_pence(_discounted(unit_gross * units, discount_percent, currency), currency)


def line_gross_from_net(
    unit_net: Decimal, units: Decimal, discount_percent: Decimal, rate: Decimal, currency: str
) -> int:
    """Value of a line worked net, in pence: discount, then VAT, each rounded half-up on the line (khaos.md §10)."""
    net = _discounted(unit_net * units, discount_percent, currency)
    return to_pence(net + _rounded(net * rate, currency), currency)


def _discounted(value: Decimal, discount_percent: Decimal, currency: str) -> Decimal:
    return _rounded(value - _rounded(value * discount_percent / 100, currency), currency)


def _rounded(value: Decimal, currency: str) -> Decimal:
    return value.quantize(from_pence(1, currency), ROUND_HALF_UP)


def _delivery(order: etree._Element, currency: str) -> int:
    """Delivery gross in pence; blank and -1 mean that none was charged (khaos.md §7.6)."""
    gross = wire.number(order, "ORDER_HEADER/DELIVERY_GRS")
    net = wire.number(order, "ORDER_HEADER/DELIVERY_NET") or Decimal(0)
    tax = wire.number(order, "ORDER_HEADER/DELIVERY_TAX") or Decimal(0)
    charged = gross if gross is not None else net + tax
    return to_pence(_rounded(max(charged, Decimal(0)), currency), currency)


def _party(order: etree._Element) -> dict[str, dict[str, object]]:
    """Name and address in the members of khaos.md §8.7, cut to their lengths; what is empty is left out."""
    where = "CUSTOMER_DETAIL/ADDRESSES/INVADDR/"
    address: dict[str, object] = dict(_filled(order, where, _ADDRESS))
    if code := wire.words(order, f"{where}ICOUNTRY_CODE")[:LONGEST_COUNTRY]:
        address["Country"] = {"Code": code}
    elif name := wire.words(order, f"{where}ICOUNTRY_NAME")[:LONGEST_COUNTRY]:
        address["Country"] = {"Name": name}
    contact: dict[str, object] = dict(_filled(order, where, _CONTACT))
    return {"InvoiceAddress": address, "InvoiceContact": contact}


def _filled(order: etree._Element, where: str, fields: Mapping[str, tuple[str, int]]) -> dict[str, str]:
    found = {name: wire.words(order, f"{where}{tag}")[:length] for name, (tag, length) in fields.items()}
    return {name: value for name, value in found.items() if value}
