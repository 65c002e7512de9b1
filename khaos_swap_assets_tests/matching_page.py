"""The page about matching in ``docs/``: every way in which a Credit Note, or a payment, finds its return.

Belongs here: what each pass asks for, in their order, and the page. Stays out: the rules (``domain.linking``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from khaos_swap_assets.domain.linking import refund_links
from khaos_swap_assets.domain.linking.attribution import MatchedBy
from khaos_swap_assets.domain.linking.windows import HANDED_OUT, INVOICE, REFUND

PASSES: Mapping[MatchedBy, str] = {
    "posting": "The note carries a reference that we handed out, for the same customer and currency.",
    "reference": "The note names the return and has its value, and nothing speaks against it; or it names it at "
    "another value, with goods of the return, and order or customer agree.",
    "order_value": "The same order and value, and no other return or note fits.",
    "customer_codes_value_date": "The same customer, units and value, made near the refund, and no other fits.",
    "one_to_many": "One note for two to four returns, to the penny and the unit, where only one grouping fits.",
    "many_to_one": "Two to four notes for one return, likewise.",
    "order_codes": "The same units of the same order and customer at another value, and nothing else in reach.",
    "codes_value": "The same units and value: a suggestion, which acts on nothing.",
    "person": "A named person linked them, with a reason.",
}
PAYMENTS: Mapping[str, str] = {
    refund_links.BY_RETURN: "The storefront's own number of the return, where one return alone carries it.",
    refund_links.BY_GOODS: "The order, the amount to the penny and the goods, where exactly one return fits.",
    refund_links.BY_AMOUNT: "The order and the amount, where exactly one return fits.",
    refund_links.BY_SUM: "One payment for two to four returns of the order, where only these come to it.",
    refund_links.BY_PARTS: "Several payments that come to what is left to pay, and that no other return could claim.",
}
HEAD = """# Which Credit Note, and which payment, belongs to which return

Made from the code. The live flow and the audit of files ask the same linker; how often it was right is in
[figures](matching_figures.md). What fits in two ways is linked to
neither and told with all that it may mean; what was in doubt in one pass stays so in all later ones. A reference is
evidence, not proof: people type the wrong one. Of equal returns of one customer a note is linked only where the order,
or a note of its own for each of them, tells them apart.

A SKU that is no Stock Code (renamed, without its zeros, with other dashes or accents) is read as the code that it
stands for: where reference, or order, and value agree, the note is linked and the SKU is told as an exception of its
own. That never lets anything be posted. In files the same holds for the codes of Credit Notes, as after a spreadsheet;
a line of no value, or of carriage, beside all goods of the return speaks against nothing.

Money of no return and a note of no return settle each other where order, currency and value agree and the days are
near, as far as the price of the order leaves room.
"""


def page() -> str:
    """Markdown: the passes in their order, the ways of payments, and the windows of days."""
    days = [
        (one.since, f"{one.before} days before", f"{one.after} days after" if one.after else "any day", one.reason)
        for one in (REFUND, HANDED_OUT, INVOICE)
    ]
    return "\n".join([
        HEAD,
        _table("Credit Notes, in this order", ("pass", "what it asks for"), PASSES.items()),
        _table("Payments, in this order", ("evidence", "what it asks for"), PAYMENTS.items()),
        _table("Days between a note and what it is laid beside", ("of", "from", "to", "reason"), days),
    ])  # fmt: skip


def _table(title: str, names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = (f"| {' | '.join(row)} |\n" for row in (names, ["---"] * len(tuple(names)), *rows))
    return f"## {title}\n\n{''.join(lines)}"
