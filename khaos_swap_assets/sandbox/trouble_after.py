"""Returns whose time, goods or Credit Notes are wrong: one function a story, which plants what must be open at the end.

Belongs here: stories whose trouble lies in what staff, the warehouse or the wire did. Stays out: what Khaos does wrong
with our documents: only named here as a script, the Khaos side does it and plants it. After sixteen days exactly
the planted kinds hold.
"""

from __future__ import annotations

from collections.abc import Mapping

from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.scenarios import Scenario, reopen
from khaos_swap_assets.sandbox.trouble import plant, sold_alone
from khaos_swap_assets.sandbox.world import NoteLine, Plant


def open_too_long(maker: Maker) -> None:
    """Delivered in the month and never processed."""
    _, rma = maker.refunded()
    reopen(rma)
    rma.status = maker.rng.choice(("Open", "Needs Review", "On Hold"))
    plant(maker, "refund_unconfirmed_too_long", rma, f"delivered, still {rma.status}")


def on_hold_too_long(maker: Maker) -> None:
    """Delivered in the month, and staff put it on hold."""
    _, rma = maker.refunded()
    reopen(rma)
    rma.status = "On Hold"
    plant(maker, "refund_unconfirmed_too_long", rma, "delivered, on hold")


def credit_note_missing(maker: Maker) -> None:
    """Refunded before the first day of posting, and staff forgot the note."""
    _, rma = maker.refunded(maker.times(before_start=True))
    plant(maker, "credit_note_missing", rma, "refunded before posting began, no note")


def credit_note_duplicate(maker: Maker) -> None:
    """Two people made the same note."""
    order, rma = maker.refunded(maker.times(before_start=maker.rng.random() < 0.5))
    for _ in range(2):
        maker.staff_note(order, rma, reference=rma.rma_number)
    plant(maker, "credit_note_duplicate", rma, "two notes for one refund")


def credit_note_orphan(maker: Maker) -> None:
    """A note for a customer who never returned anything."""
    at = maker.times()
    order = maker.order(maker.customer(), maker.basket(1), at.ordered_at)
    sold = order.lines[0]
    line = NoteLine(sold.stock_code, 1, sold.gross_pence // sold.quantity, 0, so_code=order.so_code)
    line.net_pence = maker.net(line.stock_code, line.gross_pence)
    note = maker.note(order.urn, "", order.currency, at.refunded_at, [line])
    maker.world.plants.append(Plant("credit_note_orphan", credit_note_code=note.code, why="no return"))


def credit_note_orphan_holds(maker: Maker) -> None:
    """A note with a mistyped RMA and another value: it may be the return's, so nothing is posted beside it."""
    order, rma = maker.refunded()
    note = maker.staff_note(order, rma, reference=rma.rma_number.replace("RMA", "RAM"), gross_change=-111)
    maker.world.plants.append(Plant("credit_note_orphan", credit_note_code=note.code, why="mistyped, other value"))


def value_gap(maker: Maker) -> None:
    """Staff gave the note the right reference and a wrong value: never one that is a whole penny for each of its units.

    A penny on several units at such a price is rounding, which finance may accept.
    """
    order, rma = maker.refunded()
    change, line = maker.rng.choice((-300, -1, 1, 495)), rma.lines[0]
    is_rounding = line.quantity > 1 and (line.cost_pence + change) % line.quantity == 0
    change = change * 100 if abs(change) == 1 and is_rounding else change
    maker.staff_note(order, rma, reference=rma.rma_number, gross_change=change)
    plant(maker, "value_gap", rma, "typed at another value")


def currency_mismatch(maker: Maker) -> None:
    """The shopper was refunded in euros for an order that Khaos holds in pounds."""
    _, rma = maker.refunded()
    rma.currency = "EUR"
    plant(maker, "currency_mismatch", rma, "order in GBP, refund in EUR")


def inspection_overdue(maker: Maker) -> None:
    """Nobody ever looks into the parcel; Swap's own timer calls the goods missing."""
    _, rma = maker.refunded()
    rma.quality_control_status, rma.inspect_at = "Missing", None
    plant(maker, "inspection_overdue", rma, "never inspected")


def _inspected_as(condition: str) -> Scenario:
    def story(maker: Maker) -> None:
        _, rma = maker.refunded()
        rma.lines[0].condition = condition
        rma.quality_control_status = "Not Approved"
        plant(maker, "stock_not_returned", rma, f"inspected {condition}")

    return story


def _unreadable(path: str, value: object) -> Scenario:
    def story(maker: Maker) -> None:
        _, rma = maker.refunded()
        rma.broken_fields[path] = value
        plant(maker, "record_unreadable", rma, f"{path} is {value}")

    return story


def _scripted(script: str) -> Scenario:
    def story(maker: Maker) -> None:
        _, rma = maker.refunded()
        rma.quality_control_status, rma.inspect_at = "Approved", None
        maker.world.scripts[rma.rma_number] = script

    return story


def _scripted_alone(script: str, condition: str) -> Scenario:
    def story(maker: Maker) -> None:
        _, rma = sold_alone(maker, maker.item(f"SOLO-{len(maker.world.items)}"))
        rma.lines[0].condition = condition
        maker.world.scripts[rma.rma_number] = script

    return story


AFTER_TROUBLE: Mapping[str, tuple[Scenario, ...]] = {
    "refund_unconfirmed_too_long": (open_too_long, on_hold_too_long),
    "credit_note_missing": (credit_note_missing,),
    "credit_note_duplicate": (credit_note_duplicate,),
    "credit_note_orphan": (credit_note_orphan_holds, credit_note_orphan),
    "value_gap": (value_gap,),
    "currency_mismatch": (currency_mismatch,),
    "inspection_overdue": (inspection_overdue,),
    "stock_not_returned": (_inspected_as("Missing"), _inspected_as("Wrong-Item"), _inspected_as("Not Expected")),
    "record_unreadable": (
        _unreadable("total_refund_value_customer_currency", "1O4.99"),
        _unreadable("products.0.item_count", "two"),
        _unreadable("products.0.cost", "12.345.6"),
    ),
}
"""Each kind with its stories, the commonest first."""

SCRIPTED: Mapping[str, Scenario] = {
    "drop_import": _scripted("drop_import"),
    "partial_return": _scripted("partial_return"),
    "wrong_type_missing": _scripted_alone("wrong_type_missing", "Sellable"),
    "wrong_type_saleable": _scripted_alone("wrong_type_saleable", "Damaged"),
    "issue_never": _scripted("issue_never"),
    "never_allocated": _scripted("never_allocated"),
}
"""Returns in order, whose document Khaos is told to mishandle."""
