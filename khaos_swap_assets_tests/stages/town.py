"""A small town to run the stages in: two vendors in memory, a real database, and a clock that the test holds.

Belongs here: stand-ins that answer just what a stage asks, and short ways to fill and run them. Stays out:
expectations, and the spelling of either vendor on the wire.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import dagster as dg
import psycopg
from dagster._core.definitions.decorators.op_decorator import DecoratedOpFunction
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos.client import FullOrder, KhaosClient, StatusFeed
from khaos_swap_assets.adapters.khaos.records import NoteItems, OrderStatus, StockLevel
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault as KhaosFault
from khaos_swap_assets.adapters.settings import KhaosSettings, Settings, SwapSettings
from khaos_swap_assets.adapters.settings_money import ToleranceSettings
from khaos_swap_assets.adapters.settings_stock import StockSettings
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.adapters.swap.client import SwapClient, SweepResult
from khaos_swap_assets.adapters.swap.records import ReadReturn, RowFault
from khaos_swap_assets.domain.documents.credit_notes import CreditNote, ItemsBy
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import Return, ReturnLine
from khaos_swap_assets.domain.records.stock_codes import StockCode
from khaos_swap_assets.stages.checking import StandingCheck, judge_all
from khaos_swap_assets.stages.credit_notes.allocation import read_allocations
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.credit_notes.feed import hand_out
from khaos_swap_assets.stages.credit_notes.posting import PostingRound, post
from khaos_swap_assets.stages.orders.sync import sync_orders
from khaos_swap_assets.stages.reconciliation.judging import reconcile_waiting, settle_exceptions
from khaos_swap_assets.stages.returns.matching import match_waiting
from khaos_swap_assets.stages.returns.sync import sync_returns
from khaos_swap_assets.stages.stock.adjustments import adjust_stock
from khaos_swap_assets.stages.stock.custody import follow_custody
from khaos_swap_assets.stages.stock.levels import sync_levels
from khaos_swap_assets.stages.stock_codes.sync import sync_stock_codes
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.domain import records
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.read_once import read_once

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
KEY = Sealer.new_key()
PARTY: dict[str, dict[str, object]] = {
    "InvoiceAddress": {"Line1": "1 Mill Lane", "Town": "Hull"},
    "InvoiceContact": {"Surname": "Ash"},
}


def a_line(sku: str = "HAT", quantity: int = 1, pence: int = 1000, **changes: Any) -> ReturnLine:
    """One returned row, ``pence`` for all of its units."""
    return records.line(changes.pop("product_id", f"P-{sku}"), pence, quantity, sku=sku, **changes)


def a_return(number: int = 1, *lines: ReturnLine, **changes: Any) -> Return:
    """RMA<number> of order #LX<number>: closed and refunded yesterday, approved by Swap's quality control."""
    yesterday = NOON - timedelta(days=1)
    given: dict[str, Any] = {
        "return_id": f"R{number}",
        "rma": f"RMA{number}",
        "order_name": f"#LX{number}",
        "quality_control_status": "Approved",
        "delivered_at": yesterday,
        "submitted_at": yesterday - timedelta(days=3),
        "created_at": yesterday - timedelta(days=3),
        "processed_at": yesterday,
        "closed_at": yesterday,
        "updated_at": yesterday,
    }
    rows = tuple(replace(row, return_id=f"R{number}") for row in lines or (a_line(),))
    return records.returned(*rows, **{**given, **changes})


def refunded_ago(days: int) -> dict[str, datetime]:
    """Dates of a return that was refunded so many days ago, and made three days before that."""
    refunded = NOON - timedelta(days=days)
    at_the_end = dict.fromkeys(("processed_at", "closed_at", "delivered_at", "updated_at"), refunded)
    return at_the_end | dict.fromkeys(("submitted_at", "created_at"), refunded - timedelta(days=3))


def an_order(number: int = 1, *sold: tuple[str, int], **changes: Any) -> SalesOrder:
    """The invoiced order of that return, sold to customer C<number>."""
    given = {"so_code": f"SO{number}", "associated_ref": f"KCCLX{number}", "customer_code": f"C{number}"}
    return records.order(*(sold or (("HAT", 1),)), **{**given, **changes})


def a_note(code: str = "CN1", pence: int = 1000, **changes: Any) -> CreditNote:
    """A Credit Note of customer C1 for one HAT, made and issued today, without a reference."""
    given: dict[str, Any] = {
        "credit_note_code": code,
        "associated_ref": "",
        "customer_code": "C1",
        "currency": "GBP",
        "created_on": NOON.date(),
        "issued_on": NOON.date(),
        "stage_id": 70,
        "gross_pence": pence,
        "net_pence": (pence * 5 + 3) // 6,
        "lines": (("HAT", 1),),
    }
    return CreditNote(**{**given, **changes})


def a_code(code: str, stock_id: str = "", **changes: Any) -> StockCode:
    """A live Stock Code."""
    return StockCode(code, stock_id or f"id-{code}", **changes)


def as_read(record: Return, raw: Mapping[str, Any] | None = None) -> ReadReturn:
    """A record as the Swap adapter hands it up."""
    kept = {"rma_number": record.rma, **(raw or {})}
    return ReadReturn(record, kept, (), hashlib.sha256(repr((record, raw)).encode()).hexdigest(), PARTY)


@dataclass
class Swap:
    """Swap's list: answers by date of update, of submission, or by RMA; ``asked`` keeps the questions."""

    returns: dict[str, Return] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    is_drifted: bool = False
    raw: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    error: Exception | None = None
    asked: list[tuple[str, object]] = field(default_factory=list)

    def put(self, *some: Return) -> None:
        self.returns |= {one.return_id: one for one in some}

    def changed_since(self, moment: datetime) -> SweepResult:
        return self._answer("changed", moment, [one for one in self._shown() if one.updated_at >= moment])  # type: ignore[operator]

    def submitted_since(self, moment: datetime) -> SweepResult:
        return self._answer("submitted", moment, [one for one in self._shown() if one.submitted_at >= moment])  # type: ignore[operator]

    def whole(self, wanted: Callable[[Return], bool]) -> SweepResult:
        return self._answer("whole", None, [one for one in self._shown() if wanted(one)])

    def submitted_on(self, day: date) -> SweepResult:
        found = [one for one in self._shown() if one.submitted_at and one.submitted_at.date() == day]
        return self._answer("submitted on", day, found)

    def count_submitted(self, first: date, last: date) -> int | None:
        found = [one for one in self._shown() if one.submitted_at and first <= one.submitted_at.date() <= last]
        return len(self._answer("count", (first, last), found).returns)

    def by_rma(self, rma: str) -> SweepResult:
        return self._answer("rma", rma, [one for one in self.returns.values() if one.rma == rma])

    def _shown(self) -> list[Return]:
        return [one for one in self.returns.values() if one.return_id not in self.hidden]

    def _answer(self, how: str, what: object, found: Sequence[Return]) -> SweepResult:
        self.asked.append((how, what))
        if self.error:
            raise self.error
        return SweepResult(
            tuple(as_read(one, self.raw.get(one.return_id)) for one in found), tuple(self.faults), 1, self.is_drifted
        )


@dataclass
class Khaos:
    """Khaos's books: catalogue, orders, notes and levels, with an import of our documents."""

    items: dict[str, StockCode] = field(default_factory=dict)
    orders: list[SalesOrder] = field(default_factory=list)
    notes: dict[str, CreditNote] = field(default_factory=dict)
    cancelled: dict[str, CreditNote] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    levels_aside: dict[str, int] = field(default_factory=dict)
    credit: dict[str, int] = field(default_factory=dict)
    ignores_prices: bool = False
    faults: list[KhaosFault] = field(default_factory=list)
    broken_refs: dict[str, Exception] = field(default_factory=dict)
    note_items: ItemsBy = "status"
    told_items: dict[str, NoteItems] = field(default_factory=dict)
    error: Exception | None = None
    absent: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    stages: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def sell(self, *orders: SalesOrder) -> None:
        """Take orders, and list their codes with 10 units each."""
        self.orders += orders
        for code in {line.stock_code for order in orders for line in order.lines}:
            self.items.setdefault(code, a_code(code))
            self.levels.setdefault(code, 10)

    def take(self, document: str, *, issued_on: date | None = TODAY) -> CreditNote:
        """Import a return document: one Credit Note, and sellable units back on the shelf."""
        content = json.loads(document, parse_float=Decimal)
        items = content["ReturnedItems"]
        rows = [self._price(item) * int(item["Quantity"]) for item in items]
        for item in items:
            if item["ReturnReason"]["ID"] == "1":
                for code, units in Packs(self.items.values()).opened([(item["SKU"], int(item["Quantity"]))]):
                    self.levels[code] = self.levels.get(code, 0) + units
        lines: dict[str, int] = {}
        for item in items:
            lines[item["SKU"]] = lines.get(item["SKU"], 0) + int(item["Quantity"])
        note = a_note(
            f"CN{len(self.notes) + 1}",
            sum(rows),
            net_pence=sum((pence * 5 + 3) // 6 for pence in rows),
            associated_ref=content["AssociatedRef"],
            customer_code=content["URN"],
            issued_on=issued_on,
            stage_id=70 if issued_on else 10,
            lines=tuple(lines.items()),
        )
        self.notes[note.credit_note_code] = note
        return note

    def _price(self, item: dict[str, Any]) -> int:
        """Pence of one unit: as the document says, or as it was sold for in the order that it names."""
        if not self.ignores_prices:
            return int(Decimal(str(item["UnitPrice"]["Gross"])) * 100)
        ref = item["SourceReference"]["SourceOrder"]["AssociatedRef"]
        sold = [line for order in self.orders if order.associated_ref == ref for line in order.lines]
        return next(line.gross_pence // line.quantity for line in sold if line.stock_code == item["SKU"])

    def get_stock_list(self, since: datetime | None, date_type: int = 0) -> tuple[list[str], list[KhaosFault]]:
        self._note("stock_list", since)
        return list(self.items), []

    def export_stock(self, codes: Sequence[str]) -> tuple[list[StockCode], list[KhaosFault]]:
        return [self.items[code] for code in codes], list(self.faults)

    def export_stock_status(self, codes: Sequence[str], site_id: int) -> tuple[list[StockLevel], list[KhaosFault]]:
        self._note("levels" if site_id == 1 else f"levels of site {site_id}", list(codes))
        levels = self.levels if site_id == 1 else self.levels_aside
        return [StockLevel(code, site_id, levels[code]) for code in codes if code in levels], []

    def export_order_status(self, **asked: Any) -> StatusFeed:
        self._note("status", asked)
        companies, refs = asked.get("company_codes"), asked.get("associated_refs")

        def is_asked(customer: str, ref: str) -> bool:
            return (companies is None or customer in companies) and (refs is None or ref in refs)

        orders = [one for one in self.orders if is_asked(one.customer_code, one.associated_ref)]
        return StatusFeed(
            [self._at_its_stage(order) for order in orders],
            [self._shown(note) for note in self.notes.values() if is_asked(note.customer_code, note.associated_ref)],
            [note for note in self.cancelled.values() if is_asked(note.customer_code, note.associated_ref)],
            list(self.faults),
        )

    def _at_its_stage(self, order: SalesOrder) -> OrderStatus:
        status, stage_id = _status(order), self.stages.get(order.so_code)
        goods = tuple(order.sold.items()) if (stage_id or 0) >= 70 else status.stock_codes
        return replace(status, stage_id=stage_id, stock_codes=goods)

    def _shown(self, note: CreditNote) -> CreditNote:
        return note if self.note_items == "status" else replace(note, lines=())

    def export_notes_many(self, codes: Sequence[str]) -> Iterator[tuple[str, NoteItems | Exception | None]]:
        self._note("notes", list(codes))
        for code in codes:
            found = self.told_items.get(code, NoteItems(self.notes[code].lines, self.notes[code].customer_code))
            yield code, self.broken_refs.get(code, found if self.note_items == "export" else None)

    def export_orders_many(self, refs: Sequence[str]) -> Iterator[tuple[str, list[FullOrder] | Exception]]:
        self._note("orders", list(refs))
        for ref in refs:
            found = [FullOrder(_bare(one), PARTY) for one in self.orders if one.associated_ref == ref]
            yield ref, self.broken_refs.get(ref, found)

    def offers(self, operation: str) -> bool:
        return operation not in self.absent

    def get_company_info(self, code: str) -> tuple[str, int]:
        self._note("company", code)
        if code in self.gone:
            raise PermanentError(f"GetCompanyInfo: 0 customers have the code {code}")
        return "GBP", self.credit.get(code, 0)

    def _note(self, what: str, asked: object) -> None:
        self.asked.append((what, asked))
        if self.error:
            raise self.error
        if what in self.refuses:
            raise PermanentError(f"Khaos refuses {what}")


def _bare(order: SalesOrder) -> SalesOrder:
    """An order as ExportOrders tells it: without invoices."""
    return replace(order, invoiced_on=None, is_cancelled=False)


def _status(order: SalesOrder) -> OrderStatus:
    return OrderStatus(
        order.so_code, order.associated_ref, order.customer_code, order.currency, order.ordered_on, order.invoiced_on,
        order.is_cancelled, sum(line.gross_pence for line in order.lines), order.delivery_gross_pence,
        tuple(order.sold.items()) if order.invoiced_on else (),
    )  # fmt: skip


@read_once
def some_settings(**changes: Any) -> Settings:
    """Mode post from 1 January 2026; ``swap``, ``khaos`` and ``tolerance`` take dictionaries."""
    swap = SwapSettings(store_id="S1", **changes.pop("swap", {}))
    khaos = KhaosSettings(**{"stock_minutes": 0, "poll_minutes": 0, **changes.pop("khaos", {})})
    tolerance = ToleranceSettings(**changes.pop("tolerance", {}))
    stock = StockSettings(**changes.pop("stock", {}))
    given: dict[str, Any] = {
        "mode": "post",
        "post_from": date(2026, 1, 1),
        "order_ref_format": "KCC{0}",
        "level_hours": 0,
    }
    return Settings(
        **{
            **given,
            "seal_key": SecretStr(KEY),
            "swap": swap,
            "khaos": khaos,
            "tolerance": tolerance,
            "stock": stock,
            **changes,
        }
    )


@dataclass
class Town:
    """Both vendors, our database and the clock."""

    url: str
    settings: Settings = field(default_factory=some_settings)
    now: datetime = NOON
    swap: Swap = field(default_factory=Swap)
    khaos: Khaos = field(default_factory=Khaos)
    alerts: list[Problem] = field(default_factory=list)
    token: str = ""
    policy: CreditNotePolicy = field(default_factory=CreditNotePolicy)

    @property
    def tools(self) -> Toolbox:
        return Toolbox(
            self.settings,
            lambda: lend(self.url, forgets=False),
            lambda: cast(SwapClient, self.swap),
            lambda: cast(KhaosClient, self.khaos),
            lambda: Sealer(self.settings.seal_key),
            lambda: self.now,
            self.alerts.extend,
            self.policy,
        )

    def with_settings(self, **changes: Any) -> Town:
        self.settings = some_settings(**changes)
        return self

    def sells_and_takes_back(self, *some: Return) -> Town:
        """Every one of these returns with the order that it names, sold to C<number> as it came back."""
        for one in some:
            number = int(one.rma.removeprefix("RMA"))
            order = an_order(number, *((line.sku, line.quantity) for line in one.lines))
            sold = zip(order.lines, one.lines, strict=True)
            paid = tuple(replace(row, gross_pence=line.cost_pence) for row, line in sold)
            self.khaos.sell(replace(order, lines=paid))
        self.swap.put(*some)
        return self

    def edit(self, *some: Return) -> None:
        """Change returns in Swap now."""
        self.swap.put(*(replace(one, updated_at=self.now) for one in some))

    def read(self) -> None:
        """Read both vendors and match."""
        sync_returns(self.tools)
        sync_stock_codes(self.tools)
        sync_orders(self.tools)
        match_waiting(self.tools)

    def sync(self, **later: float) -> PostingRound:
        """One whole run, as the job does it; the clock moves on first by ``later``, else by a minute."""
        self.now += timedelta(**(later or {"minutes": 1}))
        self.read()
        draft_waiting(self.tools)
        sync_levels(self.tools)
        posted = post(self.tools)
        read_allocations(self.tools)
        adjust_stock(self.tools)
        reconcile_waiting(self.tools)
        follow_custody(self.tools)
        settle_exceptions(self.tools)
        return posted

    def pull(self, **how: Any) -> list[CreditNote]:
        """One pull of Khaos; what it gets it imports at once."""
        with lend(self.url) as conn:
            page = hand_out(conn, settings=self.settings, now=self.now, continuation=self.token)
        self.token = page.token
        return [self.khaos.take(document, **how) for document in page.documents]

    def ask(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with lend(self.url) as conn:
            return conn.execute(query, parameters).fetchall()

    def do(self, query: str, *parameters: object) -> None:
        with lend(self.url) as conn:
            conn.execute(query, parameters)

    def one(self, query: str, *parameters: object) -> Any:
        """The first column of the only row."""
        ((found, *_),) = self.ask(query, *parameters)
        return found

    def kinds(self) -> dict[str, str]:
        """Open exceptions: subject by kind."""
        return dict(self.ask("SELECT kind, subject FROM recon.exceptions WHERE closed_at IS NULL ORDER BY 1"))

    def today(self) -> date:
        return london_date(self.now)


def called(made: dg.AssetsDefinition | StandingCheck, town: Town) -> Any:
    """What the function of an asset or check gives; by itself Dagster would make an instance for it and leave it."""
    if isinstance(made, StandingCheck):
        (verdict,) = judge_all([made], town.tools)
        return verdict
    function = made.op.compute_fn
    assert isinstance(function, DecoratedOpFunction)
    return function.decorated_fn(town.tools)


def connect(town: Town) -> psycopg.Connection[Any]:
    """A connection of the test's own."""
    return lend(town.url)
