"""The kinds of exception between Swap and the money; those that begin with ``refund`` need a connected storefront.

Belongs here: who owns each, what it means, what the owner does and what closes it. Stays out: when one holds
(``judging.money_conditions``, ``judging.proof_conditions``).
"""

from __future__ import annotations

from khaos_swap_assets.domain.exceptions.kinds import ExceptionKind

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
        "A Credit Note stands in Khaos for a closed return that nothing shows as paid; without a refund no VAT may be "
        "reduced.",
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
