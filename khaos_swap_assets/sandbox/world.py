"""The sandbox's own world: what is true in both vendors' systems, before any fault touches the wire.

Belongs here: the records that the generator, the two vendor servers and the warehouse share. Stays out: HTTP, faults,
and anything of ``domain``, ``adapters`` or ``stages``: this ledger must be able to contradict ours.
Money is integer pence of the record's currency; times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from khaos_swap_assets.sandbox.payout_records import StorePayout


@dataclass
class PackPart:
    """A component of a pack: units in one pack, and the proportion of its value as text; empty where none is told."""

    stock_code: str
    quantity: int
    value_proportion: str = ""


@dataclass
class StockItem:
    """A Khaos stock item with its levels by site (1 = saleable, 9 = not saleable); ``parts`` are those of a pack."""

    stock_code: str
    stock_id: str
    description: str
    unit_gross_pence: int
    vat_percent: int = 20
    other_ref: str = ""
    barcode: str = ""
    is_discontinued: bool = False
    is_stock_controlled: bool = True
    available: int = 0
    quarantine: int = 0
    revised_at: datetime | None = None
    moved_at: datetime | None = None
    parts: list[PackPart] = field(default_factory=list)


@dataclass
class Customer:
    """A Khaos customer; ``urn`` is at most ten characters."""

    urn: str
    forename: str
    surname: str
    email: str
    address1: str
    town: str
    postcode: str
    country: str = "GB"
    currency: str = "GBP"
    unallocated_pence: int = 0
    is_generic: bool = False


@dataclass
class WorldLine:
    """One line of a Sales Order; ``gross_pence`` is the line after discount."""

    stock_code: str
    quantity: int
    gross_pence: int
    vat_percent: int
    line_item_id: str


@dataclass
class Order:
    """A Sales Order in Khaos and the Shopify order that it came from; ``cancel_bar`` keeps it from being cancelled."""

    so_code: str
    associated_ref: str
    order_name: str
    order_id: str
    urn: str
    currency: str
    ordered_at: datetime
    lines: list[WorldLine]
    delivery_gross_pence: int = 0
    stage_id: int = 70
    invoice_code: str = ""
    issued_at: datetime | None = None
    is_cancelled: bool = False
    changed_at: datetime | None = None
    shop_cancelled_at: datetime | None = None
    cancel_bar: str = ""
    store: str = ""


@dataclass
class RmaLine:
    """One returned product row of an RMA; a row without a label has no parcel, and what is kept needs none.

    ``quality``: units by the condition that Swap's quality control was told, newest first.
    """

    product_id: str
    line_item_id: str
    sku: str
    quantity: int
    cost_pence: int
    outcome: str = "Refund"
    reason: str = "Fit"
    is_faulty: bool = False
    condition: str = "Sellable"
    original_order_name: str = ""
    is_kept: bool = False
    is_labelled: bool = True
    quality: dict[str, int] = field(default_factory=dict)


@dataclass
class Rma:
    """A Swap return. ``steps`` are changes still to come: (at, {field: value}); ``clockwork`` applies what is due.

    A step's value for a field that ends in ``_at`` is ISO text; the field ``add_line`` appends one ``RmaLine``.
    ``is_marked_kept``: its tags say that goods are kept, whatever its lines say.
    ``processed_word`` and ``processed_by`` are what Swap shows although nobody processed it. ``store`` is empty for a
    return of the first store.
    """

    rma_number: str
    return_id: str
    order_name: str
    order_id: str
    urn: str
    currency: str
    created_at: datetime
    updated_at: datetime
    lines: list[RmaLine]
    status: str = "Open"
    delivery_status: str = "Pre-Transit"
    quality_control_status: str = "Pending"
    refund_pence: int = 0
    store_credit_pence: int = 0
    additional_payment_pence: int = 0
    handling_fee_pence: int = 0
    delivered_at: datetime | None = None
    processed_at: datetime | None = None
    closed_at: datetime | None = None
    inspect_at: datetime | None = None
    is_inspected: bool = False
    is_submitted: bool = True
    is_marked_kept: bool = False
    exchange_items: list[dict[str, object]] = field(default_factory=list)
    steps: list[tuple[datetime, dict[str, object]]] = field(default_factory=list)
    broken_fields: dict[str, object] = field(default_factory=dict)
    processed_word: str = ""
    processed_by: str = ""
    store: str = ""


@dataclass
class NoteLine:
    """One line of a Khaos Credit Note."""

    stock_code: str
    quantity: int
    gross_pence: int
    net_pence: int
    processing_type: str = "Return to Stock"
    so_code: str = ""


@dataclass
class Note:
    """A Credit Note in the sandbox's ledger, whoever made it; ``rma`` is the return that it was made for, if any."""

    code: str
    urn: str
    associated_ref: str
    currency: str
    created_at: datetime
    lines: list[NoteLine]
    delivery_gross_pence: int = 0
    stage_id: int = 10
    issued_at: datetime | None = None
    is_allocated: bool = False
    made_by: str = "channel"
    changed_at: datetime | None = None
    rma: str = ""


@dataclass
class ReturnDocument:
    """A Khaos return made from our feed: ``state`` is new, partial, processed, deleted, failed, skipped or lost.

    ``sum_pence`` is the value that the document asked for, ``refused_at`` when ProcessReturn refused it.
    """

    return_code: str
    associated_ref: str
    urn: str
    state: str
    document: dict[str, object]
    note_code: str = ""
    stock_moved: bool = False
    rma: str = ""
    sum_pence: int = 0
    message: str = ""
    received_at: datetime | None = None
    refused_at: datetime | None = None


@dataclass
class Payment:
    """One transaction of a storefront refund, in the customer's currency."""

    transaction_id: str
    gateway: str
    amount_pence: int
    currency: str
    processed_at: datetime | None
    status: str = "SUCCESS"
    kind: str = "REFUND"


@dataclass
class StoreRefund:
    """A refund in the storefront; ``rma`` is empty where no return asked for it, ``return_ref`` where it names none.

    ``line_items`` are (line item id, SKU, quantity, pence). ``is_again`` marks one that went out once more after the
    refund that paid the return. ``restocked_at`` is the location where staff had the shop restock its units;
    ``is_taken_off`` ones were taken off the order before it was sent.
    """

    refund_id: str
    order_id: str
    order_name: str
    currency: str
    created_at: datetime
    payments: list[Payment]
    rma: str = ""
    return_ref: str = ""
    line_items: list[tuple[str, str, int, int]] = field(default_factory=list)
    is_broken: bool = False
    is_again: bool = False
    restocked_at: str = ""
    is_taken_off: bool = False


@dataclass
class Plant:
    """Trouble that is really there: an exception of ``kind`` must be open for this subject at the end.

    ``is_nameless`` money came or went without a field of either side that says why; ``record`` is one that a vendor
    refuses to answer about, with the operation.
    """

    kind: str
    rma: str = ""
    credit_note_code: str = ""
    sku: str = ""
    why: str = ""
    refund: str = ""
    record: str = ""
    order: str = ""
    is_nameless: bool = False


@dataclass
class World:
    """Everything, keyed by its own code. ``webhooks_due`` are (event, RMA) that happened and were not yet sent.

    ``unexpected``: updates of Swap's quality control that matched no line. ``further_stores``: Swap's id of every store
    beside the first, by its name.
    """

    seed: int
    now: datetime
    store_id: str
    items: dict[str, StockItem] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    rmas: dict[str, Rma] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    documents: dict[str, ReturnDocument] = field(default_factory=dict)
    store_refunds: dict[str, StoreRefund] = field(default_factory=dict)
    store_payouts: dict[str, StorePayout] = field(default_factory=dict)
    money_scripts: dict[str, str] = field(default_factory=dict)
    plants: list[Plant] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)
    post_from: date | None = None
    webhooks_due: list[tuple[str, str]] = field(default_factory=list)
    memory: dict[str, str] = field(default_factory=dict)
    unexpected: list[dict[str, str | int]] = field(default_factory=list)
    further_stores: dict[str, str] = field(default_factory=dict)

    def store_id_of(self, store: str) -> str:
        """Swap's id of a store."""
        return self.further_stores[store] if store else self.store_id
