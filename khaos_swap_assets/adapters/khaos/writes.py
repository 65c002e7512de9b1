"""What may be asked to change in Khaos, and what it answers: a return processed, an order cancelled, a level set.

Belongs here: the documented refusals and the parameters by which an operation of unknown signature is called. Stays
out: the calls (``client``). Of ``CancelOrder`` no wording and no parameter is documented (khaos.md §7.7): its refusals
are known by their families, its parameters by the WSDL, and whether it happened only by reading the order back.
Source: contracts/khaos.md §7.3, §7.7, §7.8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from lxml import etree

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError
from khaos_swap_assets.adapters.khaos.envelope import Param

ALREADY_PROCESSED = "return has already been processed"
PROCESSED = "return has successfully been processed"
REFUSALS = (
    "return does not exist or has been deleted",
    "return has been partially processed, unable to continue",
    "return code or auth code not defined",
)
CANCEL = "CancelOrder"
ORDER_REFUSALS = (
    r"\bmismatch|\b(does|do) not match\b",
    r"\bnot\b.*\bweb[ -]?services?\b",
    r"\bnot\b.*\beditable\b",
    r"\bcannot be (cancell?ed|edited|amended|deleted)\b",
    r"\balready\b.*\b(shipping|shipped|issued|sent|processed)\b",
)
"""The families of refusal: order mismatch, no web-service order, stage, cannot be cancelled, shipped, payment."""
REFUSED = re.compile("|".join(ORDER_REFUSALS), re.IGNORECASE)
SO_CODE_NAMES = frozenset({"ordercode", "sordercode", "salesordercode", "socode"})
REF_NAMES = frozenset({"associatedref", "assref", "associatedreference"})
MOST_WORDS = 200


class ReturnRefused(PermanentError):  # noqa: N818
    """Khaos answered that it will not process a return; ``reason`` is one of ``REFUSALS`` (khaos.md §7.8)."""

    def __init__(self, return_code: str, reason: str) -> None:
        super().__init__(f"Khaos will not process return {return_code}: {reason}")
        self.reason = reason


class OrderRefused(PermanentError):  # noqa: N818
    """Khaos answered that it will not cancel an order, in the words of the error."""


def return_outcome(return_code: str, said: str) -> Literal["processed", "already_processed"]:
    """Judge the text on its core phrase, whatever its prefix, case and full stop (khaos.md §7.8)."""
    words = said.lower()
    if ALREADY_PROCESSED in words:
        return "already_processed"
    if PROCESSED in words:
        return "processed"
    for reason in REFUSALS:
        if reason in words:
            raise ReturnRefused(return_code, reason)
    raise InDoubtError(
        f"ProcessReturn {return_code}: Khaos answered in unknown words: {said[:MOST_WORDS]!r}; read it back"
    )


def cancel_parameters(names: Sequence[str], so_code: str, associated_ref: str) -> dict[str, str]:
    """The parameters of ``CancelOrder`` by the names of the WSDL; empty where one of them is none that is known."""
    known = {name: _value(name, so_code, associated_ref) for name in names}
    found = {name: value for name, value in known.items() if value is not None}
    return found if len(found) == len(names) and so_code in found.values() else {}


def _value(name: str, so_code: str, associated_ref: str) -> str | None:
    plain = "".join(character for character in name.casefold() if character.isalnum())
    return so_code if plain in SO_CODE_NAMES else associated_ref if plain in REF_NAMES else None


def heard_of_cancelling(said: str) -> str:
    """What Khaos said, where it is no documented refusal. Raises ``OrderRefused`` in Khaos's words where it is."""
    words = " ".join(said.split())[:MOST_WORDS]
    if REFUSED.search(words):
        raise OrderRefused(words)
    return words


def level_parameters(stock_code: str, site: str, level: int) -> dict[str, Param]:
    """The parameters of ``ImportStockStatus`` that set one level, which is absolute (khaos.md §7.3)."""
    root = etree.Element("STOCK_STATUS", SITE=site)
    item = etree.SubElement(root, "STOCK_ITEM", CODE=stock_code)
    etree.SubElement(item, "LEVEL").text = str(level)
    text = etree.tostring(root, encoding="unicode")
    return {"StockStatus": text, "UpdateStockData": False, "UpdateStockLevels": True}
