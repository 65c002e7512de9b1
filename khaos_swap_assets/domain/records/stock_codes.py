"""Stock Codes, and which one a SKU is.

Belongs here: the record of a Stock Code, the exact match of a SKU, and suggestions for a person. Stays out: reading
the catalogue. Only an exact match acts; a suggestion never posts. Source: contracts/khaos.md §7.1, DESIGN §7.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

Value = TypeVar("Value")

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
    """What a SKU is. ``stock_code`` is set by an exact match only, ``problem`` is a kind of exception or empty.

    ``suggestion`` is a Stock Code for a person to look at, with the rule that found it and a score from 0 to 100.
    """

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


class Catalogue:
    """The Stock Codes that a matcher may look at.

    ``asked_for`` holds those that the SKUs name exactly, by Stock Code. ``everything`` is called once, when the first
    SKU misses, to index the whole catalogue for suggestions.
    """

    def __init__(
        self, asked_for: Mapping[str, StockCode], everything: Callable[[], Iterable[StockCode]] | None = None
    ) -> None:
        self._asked_for = asked_for
        self._everything = everything or asked_for.values

    @classmethod
    def of(cls, items: Iterable[StockCode]) -> Catalogue:
        """A catalogue that is wholly in memory."""
        return cls({item.stock_code: item for item in items})

    def exact(self, sku: str) -> StockCode | None:
        """The item whose Stock Code is this text, character by character; blank text is none."""
        return self._asked_for.get(sku) if sku.strip() else None

    def strong_candidates(self, sku: str) -> list[tuple[StockCode, str]]:
        """Items that are this SKU but for its spelling, its Other Ref or a barcode, each once with the best rule."""
        found: dict[str, tuple[StockCode, str]] = {}
        for item, rule in self._strong(sku):
            found.setdefault(item.stock_code, (item, "archived" if item.is_discontinued else rule))
        return sorted(found.values(), key=lambda pair: (-_SCORES[pair[1]], pair[0].stock_code))

    def weak_candidate(self, sku: str) -> tuple[str, str, int]:
        """(Stock Code, rule, score) of the pack that holds this SKU as a component, else of the nearest spelling."""
        if packs := self._by_component.get(sku.strip()):
            return min(packs), "pack", _PACK_SCORE
        return self._nearest(normalised(sku))

    def _strong(self, sku: str) -> Iterator[tuple[StockCode, str]]:
        yield from ((item, "renamed") for item in self._by_former_code.get(sku, ()))
        if plain := normalised(sku):
            yield from ((item, _spelling(sku, item.stock_code)) for item in self._by_spelling.get(plain, ()))
            yield from ((item, "zeros") for item in self._by_bare_spelling.get(plain.lstrip("0"), ()))
        if text := sku.strip():
            yield from ((item, "other_ref") for item in self._by_other_ref.get(text, ()))
            yield from ((item, "barcode") for item in self._by_barcode.get(text, ()))

    def _nearest(self, plain: str) -> tuple[str, str, int]:
        from rapidfuzz import fuzz, process

        names, codes = self._spellings
        best = process.extractOne(plain, names, scorer=fuzz.ratio, score_cutoff=NEAR_MATCH_AT_LEAST) if plain else None
        return (codes[best[2]], "near", min(int(best[1]), NEAR_MATCH_AT_MOST)) if best else ("", "", 0)

    @cached_property
    def _items(self) -> list[StockCode]:
        return sorted(self._everything(), key=lambda item: (item.is_discontinued, item.stock_code))

    @cached_property
    def _spellings(self) -> tuple[list[str], list[str]]:
        return [normalised(item.stock_code) for item in self._items], [item.stock_code for item in self._items]

    @cached_property
    def _by_spelling(self) -> Mapping[str, list[StockCode]]:
        return _grouped(zip(self._spellings[0], self._items, strict=True))

    @cached_property
    def _by_bare_spelling(self) -> Mapping[str, list[StockCode]]:
        """Without leading zeros: a spreadsheet takes them off."""
        return _grouped((plain.lstrip("0"), item) for plain, item in zip(self._spellings[0], self._items, strict=True))

    @cached_property
    def _by_former_code(self) -> Mapping[str, list[StockCode]]:
        return _grouped((code, item) for item in self._items for code in item.former_codes)

    @cached_property
    def _by_other_ref(self) -> Mapping[str, list[StockCode]]:
        return _grouped((item.other_ref.strip(), item) for item in self._items)

    @cached_property
    def _by_barcode(self) -> Mapping[str, list[StockCode]]:
        return _grouped((barcode.strip(), item) for item in self._items for barcode in item.barcodes)

    @cached_property
    def _by_component(self) -> Mapping[str, list[str]]:
        return _grouped((code, item.stock_code) for item in self._items for code, _ in item.pack_components)


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
    """The one Stock Code that an unknown SKU stands for by another spelling, name or barcode; empty where none does.

    It lays goods side by side that are compared, and posts nothing.
    """
    return suggestion if problem == "sku_unknown" and rule not in _GUESSES else ""


def with_proof(match: SkuMatch, before: str) -> SkuMatch:
    """The match of a row whose document is out: the Stock Code that it was matched to ``before`` Khaos renamed it.

    Order, document and note name it so, and it is the same item. Everything else stays as it is matched now.
    """
    is_same = match.problem == "sku_unknown" and match.suggestion_rule == "renamed" and match.sku == before
    return SkuMatch(match.sku, before) if is_same else match


def match_sku(sku: str, catalogue: Catalogue, told: str = "") -> SkuMatch:
    """Match one SKU: exact text acts, all else is a problem with, at best, a suggestion.

    A discontinued item keeps its Stock Code beside the problem ``sku_discontinued``. A parent is no code that is sold:
    it is ``sku_ambiguous`` with its variants. Without an exact match two or more
    strong candidates make it ``sku_ambiguous``, fewer ``sku_unknown``. ``told`` is the Stock Code that a person said it
    is: the suggestion then, and no more.
    """
    item = catalogue.exact(sku)
    if item and item.variants:
        return SkuMatch(
            sku=sku,
            stock_code=None,
            problem="sku_ambiguous",
            suggestion="; ".join(item.variants),
            suggestion_rule="variants",
            suggestion_score=_PACK_SCORE,
        )
    if item:
        return SkuMatch(sku, item.stock_code, "sku_discontinued" if item.is_discontinued else "")
    if not sku.strip():
        return SkuMatch(sku, None, "sku_unknown")
    if told and catalogue.exact(told):
        return SkuMatch(
            sku=sku,
            stock_code=None,
            problem="sku_unknown",
            suggestion=told,
            suggestion_rule="person",
            suggestion_score=100,
        )
    if strong := catalogue.strong_candidates(sku):
        best, rule = strong[0]
        problem = "sku_ambiguous" if len(strong) > 1 else "sku_unknown"
        return SkuMatch(
            sku=sku,
            stock_code=None,
            problem=problem,
            suggestion=best.stock_code,
            suggestion_rule=rule,
            suggestion_score=_SCORES[rule],
        )
    return SkuMatch(sku, None, "sku_unknown", *catalogue.weak_candidate(sku))


def _spelling(sku: str, stock_code: str) -> str:
    if sku.casefold() == stock_code.casefold():
        return "case"
    return "spaces" if _without_spaces(sku) == _without_spaces(stock_code) else "punctuation"


def _without_spaces(text: str) -> str:
    return "".join(text.casefold().split())


def _grouped(pairs: Iterable[tuple[str, Value]]) -> Mapping[str, list[Value]]:
    groups: defaultdict[str, list[Value]] = defaultdict(list)
    for key, value in pairs:
        if key:
            groups[key].append(value)
    return groups
