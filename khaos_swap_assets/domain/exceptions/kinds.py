"""What a kind of exception is; the kinds about goods, about money and VAT, and about the work itself.

Belongs here: who owns each, what it means, what the owner does and what closes it. Stays out: the kinds of a return and
its Credit Notes (``exceptions.catalogue``), and when one holds (``judging``, ``stages.refusing``,
``stages.watching``). Kinds of ``refund`` need a connected storefront. Source: FINANCE_RULES U-1, U-5, U-6, U-17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Owner = Literal["data management", "finance", "operations", "cx", "engineer"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class ExceptionKind:
    """One kind of trouble. ``error``: money or stock is wrong or held back now; ``warning``: it may be."""

    kind: str
    owner: Owner
    severity: Severity
    meaning: str
    action: str
    closes_when: str


GOODS_KINDS = (
    ExceptionKind(
        "inspection_overdue",
        "operations",
        "warning",
        "Refunded goods have arrived and the warehouse has not said in what condition they are, or have not arrived at "
        "all.",
        "Inspect the goods and report their condition, Missing where they are lost; have CX mark them in Swap where "
        "the customer keeps them.",
        "Every refunded unit has a condition, or Swap marks it as kept.",
    ),
    ExceptionKind(
        "stock_not_returned",
        "operations",
        "error",
        "Refunded goods are not back on the shelf: missing, not the goods that were sold, the level did not rise, or "
        "they came back after they were credited as kept by the customer.",
        "Find the goods. Then adjust the stock in Khaos, or take the loss up with the carrier or the customer.",
        "The inspection is corrected, the level shows the units, or a person waives it.",
    ),
    ExceptionKind(
        "damaged_in_saleable",
        "operations",
        "error",
        "Damaged goods came back and the saleable stock rose by them: the next customer may get them.",
        "Move the units to the location of goods that may not be sold.",
        "The saleable stock no longer holds them, or a person waives it.",
    ),
    ExceptionKind(
        "kept_unclear",
        "cx",
        "warning",
        "Swap marks goods of the return as kept by the customer, and does not tell which, or says that they travel.",
        "Find out which goods come back. Tag those lines in Swap that the customer keeps, or correct its shipments.",
        "Swap tells of every refunded line whether it comes back, the warehouse reports the goods, or a Credit Note "
        "covers the refund.",
    ),
    ExceptionKind(
        "kept_without_reason",
        "finance",
        "error",
        "The customer keeps refunded goods, and no ReturnReason is set for that, so no document is made.",
        "Have KHAOS_SWAP_KHAOS_REASON_KEPT set to a reason that moves no stock, or post the Credit Note by hand.",
        "The setting names a reason, or a Credit Note covers the refund.",
    ),
)


MONEY_KINDS = (
    ExceptionKind(
        "closed_without_refund",
        "cx",
        "error",
        "Swap closed the return with a value, and nothing shows that it was paid: staff may close without paying, and "
        "are told to refund in the shop instead. Nothing is credited.",
        "Look at the order's refunds in the shop. Paid there: have the return processed in Swap, or finance post it by "
        "hand. Not paid and owed: pay it. Not owed: waive it with the reason.",
        "Swap shows that the return was processed, a connected storefront shows the money, or a person waives it.",
    ),
    ExceptionKind(
        "credited_without_refund",
        "finance",
        "error",
        "A Credit Note stands in Khaos for a return that nothing shows as paid: closed, or open for longer than a "
        "refund takes. Without a refund no VAT may be reduced.",
        "Find out in the shop and at the bank whether the money went out. Paid: have the return processed in Swap, or "
        "waive it with the payment. Not paid: cancel the Credit Note in Khaos.",
        "The refund is shown, the Credit Note is cancelled, or a person waives it.",
    ),
    ExceptionKind(
        "credited_without_sale",
        "finance",
        "error",
        "A Credit Note stands for a return of which no sale is known: without a sale no VAT may be reclaimed.",
        "Find the order and correct the return; without one, take the VAT off the Credit Note in Khaos.",
        "The sale is found, the Credit Note is cancelled or corrected, or a person waives it.",
    ),
    ExceptionKind(
        "credited_to_another_customer",
        "finance",
        "error",
        "The Credit Note of a return stands on the account of another customer than the sale: one account shows credit "
        "that is not its own, and the other shows a debt.",
        "Move the Credit Note to the customer of the sale in Khaos.",
        "Note and sale are of one customer, the note is no longer the return's, or a person waives it.",
    ),
    ExceptionKind(
        "refund_not_paid",
        "cx",
        "error",
        "Swap closed the return with a refund, and the storefront moved no money: the customer is waiting.",
        "Look at the order's refunds in the storefront; pay the refund there, or reopen the return in Swap.",
        "A payment of the refund went through in the storefront, or Swap no longer shows a refund.",
    ),
    ExceptionKind(
        "refund_without_return",
        "finance",
        "warning",
        "The storefront paid money back, and no return in Swap asked for it: goodwill, a cancelled order or a mistake.",
        "Find out who refunded and why; credit it in Khaos by hand where it is right, then waive it with the reason.",
        "It pays a return in Swap, a Credit Note of its order and value that is for no return stands in Khaos, or a "
        "person waives it.",
    ),
    ExceptionKind(
        "refund_amount_differs",
        "finance",
        "error",
        "The money that moved is not what Swap says it refunded; nothing is credited until they agree.",
        "Compare the order's refunds in the storefront with the return; correct Swap, or pay what is missing.",
        "The payments of the return come to Swap's refund to the penny.",
    ),
    ExceptionKind(
        "paid_outside_storefront",
        "finance",
        "warning",
        "The storefront paid less than Swap refunded, by no more than an earlier exchange of the order had been paid "
        "extra. Swap gives that back first, to the card that had paid it, where no storefront shows it. Nothing is "
        "credited before that is proved.",
        "Look for the payment at Swap's payment provider. There: waive this with its reference, and the Credit Note "
        "follows. Not there: pay what is missing.",
        "A payment of the missing amount is shown, or a person waives it with the proof.",
    ),
    ExceptionKind(
        "refund_currency_differs",
        "finance",
        "error",
        "The money moved in another currency than the return's, so the amounts cannot be compared.",
        "Find out which currency the customer paid in; correct the return in Swap, or post the Credit Note by hand.",
        "The return and its payments are in one currency, or a person waives it.",
    ),
    ExceptionKind(
        "payment_kind_unknown",
        "finance",
        "warning",
        "Refunds went out by a means of payment that is not in the list of kinds. It counts as money; were it a gift "
        "card or store credit, VAT would be reduced too early.",
        "Find out what it is, and have the engineer name it in KHAOS_SWAP_STOREFRONT_PAYMENT_KINDS as money, gift_card "
        "or store_credit.",
        "The setting names it, or a person waives it.",
    ),
    ExceptionKind(
        "refund_ambiguous",
        "finance",
        "error",
        "Refunds of one order fit more than one return, so nobody can tell which of them was paid, or when.",
        "Look at the order in the storefront and post the Credit Notes by hand.",
        "Each refund fits one return alone, or a person waives it.",
    ),
    ExceptionKind(
        "refund_paid_twice",
        "finance",
        "error",
        "The money of one return went out twice in the storefront, by Swap and once more by Khaos or by hand.",
        "Recover the second payment from the customer, and stop Khaos from refunding what Swap has refunded.",
        "The second payment belongs to a return of its own, or a person waives it.",
    ),
)


TAX_KINDS = (
    ExceptionKind(
        "vat_differs",
        "finance",
        "error",
        "The Credit Note has the right value and another VAT than the sale: a wrong rate, or net taken for gross.",
        "Correct the VAT of the note in Khaos to the rate of the original sale.",
        "VAT of the sale and of the Credit Note agree, but for a penny where a line ends in half a penny of VAT.",
    ),
    ExceptionKind(
        "credited_in_another_month",
        "finance",
        "warning",
        "Money was paid back in one month and its Credit Note is of another: one month credits too little, the other "
        "too much. The VAT of a refund belongs to the period in which it was paid.",
        "Where the VAT period is the same, the VAT Return is right: waive it once both months are explained. "
        "Where it is another, take the VAT into the period of the payment, then waive it with the adjustment.",
        "Each month credits what was paid in it, or a person waives it.",
    ),
)


RUN_KINDS = (
    ExceptionKind(
        "record_refused",
        "engineer",
        "warning",
        "Swap, Khaos or the storefront refuses to answer about one record; everything else goes on without it.",
        "Read the reason and correct the record at its vendor. It is asked for again by itself, with growing pauses.",
        "The vendor answers about the record.",
    ),
    ExceptionKind(
        "source_refused",
        "engineer",
        "error",
        "A vendor refuses a whole operation, so what it would have told was not seen.",
        "Read the reason, look at `khaos-swap preflight`, and have the vendor's service put right.",
        "The vendor answers the operation again.",
    ),
    ExceptionKind(
        "fault_in_return",
        "engineer",
        "error",
        "A program fault stopped a step of the work on one record: a return, or, as the message says, a customer's "
        "notes, the refunds of an order or a picture. What needs that step is held; everything else goes on.",
        "The log holds the trace under the same name: report it. It is tried again by itself, with growing pauses.",
        "The record goes through the step that failed.",
    ),
    ExceptionKind(
        "nobody_watches",
        "engineer",
        "error",
        "Work is due, and no complete run (read, witness, judge) was made in time; no document leaves meanwhile.",
        "Look at the newest runs and their errors, then at `khaos-swap preflight`.",
        "A complete run was made.",
    ),
    ExceptionKind(
        "source_not_read",
        "engineer",
        "error",
        "A source was not read for more than 26 hours: green elsewhere only means that nobody looked.",
        "Look at the newest runs and their errors, then at `khaos-swap preflight`.",
        "The source was read.",
    ),
)
