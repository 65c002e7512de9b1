"""The catalogue of exceptions: every kind of trouble, who owns it, what they do and what closes it.

Belongs here: the kinds of a return, the record of one piece of trouble (``Problem``) and the handbook page. Stays out:
when a kind holds (``judging.verdict``) and how it is stored. Source: DESIGN §7.
"""

from __future__ import annotations

from dataclasses import dataclass

from khaos_swap_assets.domain.exceptions import kinds
from khaos_swap_assets.domain.exceptions.kinds import ExceptionKind, Owner, Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """One piece of trouble, open as long as its condition holds; (``kind``, ``subject``) is its identity.

    ``subject`` is the RMA, ``RMA/SKU`` or the Credit Note code. ``money_at_risk_pence`` is minor units of ``currency``.
    Raises ``ValueError`` for a kind that the catalogue does not hold.
    """

    kind: str
    subject: str
    message: str
    return_id: str = ""
    rma: str = ""
    sku: str = ""
    credit_note_code: str = ""
    suggestion: str = ""
    money_at_risk_pence: int = 0
    currency: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of the catalogue in domain/exceptions/catalogue.py")

    @property
    def owner(self) -> Owner:
        """Who acts on it."""
        return KINDS[self.kind].owner

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return KINDS[self.kind].severity

    @property
    def action(self) -> str:
        """What the owner does."""
        return KINDS[self.kind].action


_CATALOGUE = (
    ExceptionKind(
        "sku_unknown",
        "data management",
        "error",
        "The SKU of a refunded line is no Stock Code in Khaos, or the line has no SKU; or its Credit Note holds such a "
        "code, as after a spreadsheet has taken zeros off.",
        "Correct the Stock Code in Khaos, or the SKU of the product in the shop. A suggestion may be shown. Export "
        "a file that a spreadsheet has damaged again, with codes as text.",
        "Khaos has a Stock Code equal to the SKU, character by character.",
    ),
    ExceptionKind(
        "sku_ambiguous",
        "data management",
        "error",
        "No Stock Code equals the SKU, and two or more are as good as equal (case, spaces, Other Ref or barcode).",
        "Decide which Stock Code is meant and give it the SKU's exact spelling in Khaos.",
        "Khaos has a Stock Code equal to the SKU, character by character.",
    ),
    ExceptionKind(
        "sku_discontinued",
        "data management",
        "error",
        "The Stock Code of a refunded line is discontinued in Khaos.",
        "Bring the Stock Code back into use in Khaos, or post this Credit Note by hand.",
        "The Stock Code is in use again, or a Credit Note covers the refund.",
    ),
    ExceptionKind(
        "order_not_found",
        "cx",
        "error",
        "The return names no order, Khaos has no Sales Order of that reference, or the order does not hold the goods.",
        "Find out from the customer or the shop which order it was; have finance post by hand if there is none.",
        "Khaos answers with one Sales Order that holds the returned Stock Codes, or a Credit Note covers the refund.",
    ),
    ExceptionKind(
        "order_ambiguous",
        "cx",
        "error",
        "Two Sales Orders in Khaos carry the order's reference, or the lines of the return name different orders.",
        "Find out which order the goods came from and correct the reference of the other one in Khaos.",
        "One Sales Order carries the reference, or a Credit Note covers the refund.",
    ),
    ExceptionKind(
        "order_not_invoiced",
        "operations",
        "error",
        "The money was refunded, but the Sales Order has no issued invoice, so there is nothing to credit yet.",
        "Issue the invoice of the order in Khaos, or find out why goods came back that were never invoiced.",
        "The Sales Order has an issued invoice.",
    ),
    ExceptionKind(
        "customer_unknown",
        "finance",
        "error",
        "The Sales Order belongs to no customer, or to a collective account that is no person.",
        "Post the Credit Note by hand to the right account.",
        "The Sales Order belongs to a person's account, or a Credit Note covers the refund.",
    ),
    ExceptionKind(
        "over_return",
        "finance",
        "error",
        "All returns of the order together bring back more of a Stock Code than was sold, or more was refunded for it "
        "than was paid; the later return is named.",
        "Check both returns with the warehouse; correct the wrong one in Swap or recover the money.",
        "Neither units nor refunds exceed what was sold.",
    ),
    ExceptionKind(
        "pack_unclear",
        "finance",
        "error",
        "A component of a sold pack came back, and nobody can tell out of which sale, or what its share of it is.",
        "Look at the candidates. Give pack and components a price in Khaos, or post the Credit Note by hand.",
        "One sold line fits the returned row and its price is known, or a Credit Note covers the refund.",
    ),
    ExceptionKind(
        "outcome_needs_policy",
        "finance",
        "warning",
        "The return ended in something other than one refund: exchange, store credit, or a later part payment.",
        "Decide it in the policy (docs/policy.md), or book this part by hand and waive the exception with its number.",
        "A decision of the policy covers the outcome, Swap shows only refund lines that explain the money, or a person "
        "waives it.",
    ),
    ExceptionKind(
        "refund_not_explained",
        "finance",
        "error",
        "The refunded lines, less a withheld fee, do not add up to the refund.",
        "Compare the refund in the shop with the return in Swap and correct Swap, or post the Credit Note by hand. "
        "Where it says that the order's delivery is the difference, decide `delivery` in the policy (docs/policy.md).",
        "The lines add up to the refund to the penny, or a Credit Note of its value covers the refund.",
    ),
    ExceptionKind(
        "refund_unconfirmed_too_long",
        "cx",
        "warning",
        "The parcel arrived long ago and the refund is still not confirmed: the customer is waiting.",
        "Process the return in Swap, or tell the customer why not.",
        "Swap shows the refund as processed, or the return as cancelled or expired.",
    ),
    ExceptionKind(
        "return_status_unknown",
        "cx",
        "warning",
        "The status of the return is missing, or a word that is not known, so nobody can tell whether it was refunded.",
        "Look at the return in Swap. If the word is a new one of Swap's, have it added.",
        "Swap shows a status that is known.",
    ),
    ExceptionKind(
        "credit_note_missing",
        "finance",
        "error",
        "Money was refunded, Khaos has no Credit Note for it, and nothing is under way that will make one.",
        "Post the Credit Note by hand in Khaos with the RMA as its reference.",
        "A Credit Note is attributed to the return, or a posting is planned.",
    ),
    ExceptionKind(
        "credit_note_duplicate",
        "finance",
        "error",
        "One of several Credit Notes of a return could go, and the others would still credit all of its goods.",
        "Cancel the surplus Credit Note in Khaos.",
        "No Credit Note of the return is more than its goods ask for.",
    ),
    ExceptionKind(
        "credit_note_orphan",
        "finance",
        "error",
        "A Credit Note in Khaos belongs to no return, or fits two so that nobody can tell to which.",
        "Put the RMA into the note's reference. Drafts that it may cover wait; waive it with a reason only where it is "
        "of none of the customer's returns: what is there by then is posted, a return made later waits again.",
        "The note is attributed to a return, cancelled in Khaos, or waived.",
    ),
    ExceptionKind(
        "credit_note_ambiguous",
        "finance",
        "error",
        "A Credit Note fits this return and another one alike, so it is counted for neither.",
        "Decide which return the Credit Note belongs to and put its RMA into it; post one only for the other.",
        "The Credit Note is attributed to one of the returns.",
    ),
    ExceptionKind(
        "credit_note_not_issued",
        "finance",
        "warning",
        "A Credit Note was made but not issued: the ledger has not moved.",
        "Issue the Credit Note in Khaos.",
        "The Credit Note is issued or cancelled.",
    ),
    ExceptionKind(
        "credit_note_unallocated",
        "finance",
        "warning",
        "An issued Credit Note still stands open on the account. Do not refund again: the money has gone out.",
        "Allocate the Credit Note against the refund that was already paid. Do not refund again.",
        "The customer's unallocated credit is less than the note's value.",
    ),
    ExceptionKind(
        "value_gap",
        "finance",
        "error",
        "The Credit Notes of the return do not come to the refund.",
        "Compare note and refund line by line (quantity, price, VAT, delivery) and correct the note in Khaos. Where it "
        "came of a document of ours, no other one leaves until a person settles it: `khaos-swap postings list` says "
        "with which command.",
        "The Credit Notes come to the refund, to the penny or within the tolerances.",
    ),
    ExceptionKind(
        "differences_systematic",
        "finance",
        "error",
        "Many small differences of one month and cause all have one sign: that is no coincidence, so none is accepted.",
        "Find the setting that rounds otherwise in Khaos than in the shop, and have it changed.",
        "The differences no longer lean to one side.",
    ),
    ExceptionKind(
        "currency_mismatch",
        "finance",
        "error",
        "The refund is in another currency than the Sales Order in Khaos.",
        "Post the Credit Note by hand in the order's currency at the rate of the refund.",
        "Both sides show the same currency, or a person waives it.",
    ),
    ExceptionKind(
        "posting_refused",
        "finance",
        "error",
        "Khaos answered that it will not process the return document.",
        "Read the answer, remove its cause in Khaos, then release the posting, or post by hand and resolve it.",
        "The posting is released and confirmed, or resolved by a person.",
    ),
    ExceptionKind(
        "posting_in_doubt",
        "finance",
        "error",
        "A document was handed to Khaos and not seen there since, or two notes fit it.",
        "Look for the reference in Khaos, then: khaos-swap postings resolve REF --confirmed CODE, or --not-posted.",
        "The Credit Note is seen in Khaos, or a person resolves the posting.",
    ),
    *kinds.GOODS_KINDS,
    *kinds.MONEY_KINDS,
    *kinds.TAX_KINDS,
    *kinds.RUN_KINDS,
    ExceptionKind(
        "record_unreadable",
        "engineer",
        "error",
        "A row from Swap, Khaos or the storefront could not be read; it takes part in nothing.",
        "Read the reason, correct the record at its source, or teach the adapter to read it.",
        "The row is read, or is no longer sent.",
    ),
)

KINDS: dict[str, ExceptionKind] = {kind.kind: kind for kind in _CATALOGUE}

_HEAD = """# Exceptions

Made from `khaos_swap_assets/domain/exceptions/catalogue.py`. An exception opens when its condition holds and closes by
itself when it no longer does; a person may waive it: `khaos-swap exceptions waive ID --by NAME --reason TEXT`.

| kind | owner | severity |
|---|---|---|
"""


def handbook() -> str:
    """The markdown page of all kinds: a table of owners, then what each means, what to do, and what closes it."""
    rows = (f"| [{kind.kind}](#{kind.kind}) | {kind.owner} | {kind.severity} |\n" for kind in KINDS.values())
    return _HEAD + "".join(rows) + "".join(map(_chapter, KINDS.values()))


def _chapter(kind: ExceptionKind) -> str:
    return f"""
## {kind.kind}

{kind.meaning}

* **Owner**: {kind.owner}
* **What to do**: {kind.action}
* **Closes when**: {kind.closes_when}
"""
