"""Stock Codes, and which one a SKU is.

Belongs here: the record of a Stock Code, the exact match of a SKU, and suggestions for a person. Stays out: reading
the catalogue. Only an exact match acts; a suggestion never posts. Source: contracts/khaos.md §7.1, DESIGN §7.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from khaos_swap_assets.domain.sums import grouped

NEAR_MATCH_AT_LEAST = 80
NEAR_MATCH_AT_MOST = 94
_SCORES = {
    "renamed": 100,
    "case": 99,
    "spaces": 98,
    "punctuation": 97,
    "zeros": 96,
    "other_ref": 95,
    "barcode": 95,
    "archived": 75,
}
_PACK_SCORE = 70
LONGEST_KEY = 500
_GUESSES = frozenset({"", "pack", "near"})


@dataclass(frozen=True, slots=True)
class StockCode:
    """One catalogue item: ``stock_code`` may be renamed in Khaos, ``stock_id`` never is (khaos.md §3).

    ``sell_pence`` is its own price with VAT, ``buy_pence`` what it costs without, in pence of the house; None where
    that is not known. ``variants`` are the Stock Codes under a parent, which is itself never sold. What is run to zero
    is sold and not ordered again. ``former_codes`` is what we saw it called before.
    """

    stock_code: str
    stock_id: str
    description: str = ""
    other_ref: str = ""
    barcodes: tuple[str, ...] = ()
    is_discontinued: bool = False
    is_stock_controlled: bool = True
    pack_components: tuple[tuple[str, int], ...] = ()
    sell_pence: int | None = None
    buy_pence: int | None = None
    is_run_to_zero: bool = False
    variants: tuple[str, ...] = ()
    former_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkuMatch:
    """What a SKU is: a Stock Code by exact match only; else a problem, and a suggestion with its rule and score."""

    sku: str
    stock_code: str | None
    problem: str = ""
    suggestion: str = ""
    suggestion_rule: str = ""
    suggestion_score: int = 0


def normalised(text: str) -> str:
    """The text without case, accents, spaces and punctuation: what makes two codes look the same to a person."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def found_by(item: StockCode) -> list[str]:
    """What an item is found by for a SKU that is no Stock Code, rule and text; without leading zeros as well.

    A text longer than any index takes finds nothing: no person would know it again.
    """
    plain = normalised(item.stock_code)
    kept = (("other_ref", item.other_ref), *(("barcode", one) for one in item.barcodes))
    told = ((rule, text.strip()) for rule, text in (*kept, *(("pack", code) for code, _ in item.pack_components)))
    keys = (("spelling", plain), ("zeros", plain.lstrip("0")), *told)
    return [f"{rule} {text}" for rule, text in keys if 0 < len(text) <= LONGEST_KEY]


def asked_by(sku: str) -> list[tuple[str, str]]:
    """The rules by which a SKU may find an item of another Stock Code, best first, each with its key."""
    plain, text = normalised(sku), sku.strip()
    keys = {"renamed": sku, "spelling": plain, "zeros": plain.lstrip("0"), "other_ref": text, "barcode": text}
    return [(rule, f"{rule} {key}") for rule, key in {**keys, "pack": text}.items() if key]


class Catalogue:
    """The Stock Codes that a matcher may look at.

    ``asked_for`` holds those that the SKUs name exactly, by Stock Code. Once the first SKU misses, ``alike`` gives the
    items that any of the SKUs finds otherwise, and ``codes`` all Stock Codes, those on sale first; each is called once.
    """

    def __init__(
        self,
        asked_for: Mapping[str, StockCode],
        alike: Callable[[], Iterable[StockCode]],
        codes: Callable[[], Sequence[str]],
    ) -> None:
        self._asked_for, self._alike, self._all = asked_for, alike, codes

    @classmethod
    def of(cls, items: Iterable[StockCode]) -> Catalogue:
        """A catalogue that is wholly in memory."""
        known = {item.stock_code: item for item in items}
        on_sale_first = sorted(known.values(), key=lambda item: (item.is_discontinued, item.stock_code))
        return cls(known, known.values, lambda: [item.stock_code for item in on_sale_first])

    def exact(self, sku: str) -> StockCode | None:
        """The item whose Stock Code is this text, character by character; blank text is none."""
        return self._asked_for.get(sku) if sku.strip() else None

    def strong_candidates(self, sku: str) -> list[tuple[StockCode, str]]:
        """Items that are this SKU but for its spelling, its Other Ref or a barcode, each once with the best rule."""
        found: dict[str, tuple[StockCode, str]] = {}
        for rule, key in asked_by(sku):
            for item in self._index.get(key, ()) if rule != "pack" else ():
                said = _spelling(sku, item.stock_code) if rule == "spelling" else rule
                found.setdefault(item.stock_code, (item, "archived" if item.is_discontinued else said))
        return sorted(found.values(), key=lambda pair: (-_SCORES[pair[1]], pair[0].stock_code))

    def weak_candidate(self, sku: str) -> tuple[str, str, int]:
        """(Stock Code, rule, score) of the pack that holds this SKU as a component, else of the nearest spelling."""
        if packs := self._index.get(f"pack {sku.strip()}"):
            return min(item.stock_code for item in packs), "pack", _PACK_SCORE
        return self._nearest(normalised(sku))

    def _nearest(self, plain: str) -> tuple[str, str, int]:
        from rapidfuzz import fuzz, process

        if not plain:
            return "", "", 0
        best = process.extractOne(plain, self._spellings, scorer=fuzz.ratio, score_cutoff=NEAR_MATCH_AT_LEAST)
        return (self._codes[best[2]], "near", min(int(best[1]), NEAR_MATCH_AT_MOST)) if best else ("", "", 0)

    @cached_property
    def _codes(self) -> Sequence[str]:
        return self._all()

    @cached_property
    def _spellings(self) -> list[str]:
        return [normalised(code) for code in self._codes]

    @cached_property
    def _index(self) -> Mapping[str, list[StockCode]]:
        """The items by what finds them."""
        items = list(self._alike())
        renamed = ((f"renamed {code}", item) for item in items for code in item.former_codes)
        return grouped(chain(renamed, ((key, item) for item in items for key in found_by(item))))


LONGEST_CODE = 50


def never_a_stock_code(sku: str) -> str:
    """A clause that says why no Stock Code can ever equal this SKU, empty where one can (khaos.md §17)."""
    reasons = (
        ("it holds a #", "#" in sku),
        ("it begins or ends with a space", sku != sku.strip()),
        (f"it is longer than {LONGEST_CODE} characters", len(sku) > LONGEST_CODE),
    )
    why = next((text for text, is_so in reasons if is_so), "")
    return f", and none ever can: {why}; correct it in the shop" if why else ""


def renamed_to(problem: str, suggestion: str, rule: str) -> str:
    """The one Stock Code that an unknown SKU stands for in another spelling, to compare goods by; empty: none does."""
    return suggestion if problem == "sku_unknown" and rule not in _GUESSES else ""


def with_proof(match: SkuMatch, before: str) -> SkuMatch:
    """The match of a row whose document is out: the Stock Code ``before`` Khaos renamed it, as it is the same item."""
    is_same = match.problem == "sku_unknown" and match.suggestion_rule == "renamed" and match.sku == before
    return SkuMatch(match.sku, before) if is_same else match


def match_sku(sku: str, catalogue: Catalogue, told: str = "") -> SkuMatch:
    """Match one SKU: exact text acts, all else is a problem with, at best, a suggestion.

    A discontinued item keeps its Stock Code beside the problem ``sku_discontinued``. A parent is no code that is sold:
    it is ``sku_ambiguous`` with its variants. Without an exact match several strong candidates are ``sku_ambiguous``
    too, fewer ``sku_unknown``. ``told`` is the Stock Code that a person said it is: the suggestion then, and no more.
    """
    item = catalogue.exact(sku)
    if item and item.variants:
        return _missed(sku, "; ".join(item.variants), "variants", _PACK_SCORE, problem="sku_ambiguous")
    if item:
        return SkuMatch(sku, item.stock_code, "sku_discontinued" if item.is_discontinued else "")
    if not sku.strip():
        return _missed(sku)
    if told and catalogue.exact(told):
        return _missed(sku, told, "person", 100)
    if strong := catalogue.strong_candidates(sku):
        best, rule = strong[0]
        problem = "sku_ambiguous" if len(strong) > 1 else "sku_unknown"
        return _missed(sku, best.stock_code, rule, _SCORES[rule], problem=problem)
    return _missed(sku, *catalogue.weak_candidate(sku))


def _missed(
    sku: str, suggestion: str = "", rule: str = "", score: int = 0, *, problem: str = "sku_unknown"
) -> SkuMatch:
    return SkuMatch(sku, None, problem, suggestion, suggestion_rule=rule, suggestion_score=score)


def _spelling(sku: str, stock_code: str) -> str:
    left, right = sku.casefold(), stock_code.casefold()
    if left == right:
        return "case"
    return "spaces" if "".join(left.split()) == "".join(right.split()) else "punctuation"
