"""Stock Codes: only the exact text acts; everything else is a suggestion for a person."""

import string
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.records.stock_codes import Catalogue, SkuMatch, StockCode, match_sku, normalised

ITEMS = [
    StockCode("MER-CRW-NVY-M", "1", barcodes=("5060999000118",)),
    StockCode("MER-CRW-NVY-L", "2", other_ref="OLD-77"),
    StockCode("FELL-JKT-MOS-M", "3", barcodes=("5060999000200", "5060999000201")),
    StockCode("TEE-RED-S", "4", is_discontinued=True),
    StockCode("TEERED-S", "5"),
    StockCode("85123A", "6"),
    StockCode("85123a", "7"),
    StockCode("SHARED-1", "8", other_ref="TWIN", barcodes=("111",)),
    StockCode("SHARED-2", "9", other_ref="TWIN", barcodes=("111",)),
    StockCode("GIFT-BOX", "10", pack_components=(("SOAP-BAR", 2), ("TOWEL-WHT", 1))),
    StockCode("ARCHIVED-9", "11", is_discontinued=True),
    StockCode(" PAD", "12"),
    StockCode("BELT-2", "14", former_codes=("BELT", "BELT-1")),
    StockCode("SCARF-A", "15", former_codes=("SCARF",)),
    StockCode("SCARF-B", "16", barcodes=("SCARF",)),
    StockCode("SOCK", "17", variants=("SOCK-S", "SOCK-M")),
    StockCode("RARE-1", "18", is_run_to_zero=True),
    StockCode("---", "13"),
]
CATALOGUE = Catalogue.of(ITEMS)


@pytest.mark.parametrize("sku", ["MER-CRW-NVY-M", "85123A", "85123a", " PAD", "---", "BELT-2", "RARE-1"])
def test_the_exact_text_acts(sku: str) -> None:
    assert match_sku(sku, CATALOGUE) == SkuMatch(sku, sku)


def test_a_discontinued_code_keeps_its_name_and_is_a_problem() -> None:
    assert match_sku("ARCHIVED-9", CATALOGUE) == SkuMatch("ARCHIVED-9", "ARCHIVED-9", "sku_discontinued")


@pytest.mark.parametrize(
    ("sku", "problem", "suggestion", "rule"),
    [
        ("mer-crw-nvy-m", "sku_unknown", "MER-CRW-NVY-M", "case"),
        (" MER-CRW-NVY-M ", "sku_unknown", "MER-CRW-NVY-M", "spaces"),
        ("MER CRW NVY M", "sku_unknown", "MER-CRW-NVY-M", "punctuation"),
        ("PAD", "sku_unknown", " PAD", "spaces"),
        ("0085123A", "sku_ambiguous", "85123A", "zeros"),
        ("OLD-\u0037\u0037\u0301", "sku_unknown", "", ""),
        ("OLD-77", "sku_unknown", "MER-CRW-NVY-L", "other_ref"),
        ("5060999000201", "sku_unknown", "FELL-JKT-MOS-M", "barcode"),
        ("archived-9", "sku_unknown", "ARCHIVED-9", "archived"),
        ("TEE-RED S", "sku_ambiguous", "TEERED-S", "punctuation"),
        ("85123-A", "sku_ambiguous", "85123A", "punctuation"),
        ("BELT", "sku_unknown", "BELT-2", "renamed"),
        ("BELT-1", "sku_unknown", "BELT-2", "renamed"),
        ("belt-1", "sku_unknown", "BELT-2", "near"),
        ("SCARF", "sku_ambiguous", "SCARF-A", "renamed"),
        ("SOCK", "sku_ambiguous", "SOCK-S; SOCK-M", "variants"),
        ("TWIN", "sku_ambiguous", "SHARED-1", "other_ref"),
        ("111", "sku_ambiguous", "SHARED-1", "barcode"),
        ("SOAP-BAR", "sku_unknown", "GIFT-BOX", "pack"),
        ("MER-CRW-NAVY-L", "sku_unknown", "MER-CRW-NVY-L", "near"),
        ("FELL-JKT-MOSS-M", "sku_unknown", "FELL-JKT-MOS-M", "near"),
        ("QQQQQQ", "sku_unknown", "", ""),
        ("", "sku_unknown", "", ""),
        ("   ", "sku_unknown", "", ""),
        ("-/-", "sku_unknown", "", ""),
    ],
)
def test_a_miss_is_a_problem_with_a_suggestion(sku: str, problem: str, suggestion: str, rule: str) -> None:
    match = match_sku(sku, CATALOGUE)
    assert (match.stock_code, match.problem, match.suggestion, match.suggestion_rule) == (
        None,
        problem,
        suggestion,
        rule,
    )
    assert bool(match.suggestion_score) is bool(suggestion)


def test_blank_text_is_never_a_stock_code() -> None:
    catalogue = Catalogue.of([StockCode("", "1"), StockCode("  ", "2")])
    assert match_sku("", catalogue).problem == match_sku("  ", catalogue).problem == "sku_unknown"


def test_better_rules_score_higher() -> None:
    skus = ["mer-crw-nvy-m", " MER-CRW-NVY-M", "MERCRWNVYM", "OLD-77", "MER-CRW-NAVY-L", "archived-9", "SOAP-BAR"]
    scores = [match_sku(sku, CATALOGUE).suggestion_score for sku in skus]
    assert scores[:4] == sorted(scores[:4], reverse=True)
    assert all(score < 95 for score in scores[4:])
    assert all(0 < score <= 100 for score in scores)


def test_a_nearer_spelling_never_beats_the_ceiling_of_a_near_match() -> None:
    long = "X" * 200
    assert match_sku(long + "Y", Catalogue.of([StockCode(long, "1")])).suggestion_score == 94


def test_what_is_alike_is_read_only_after_a_miss_and_all_codes_only_for_the_nearest_each_once() -> None:
    reads: list[str] = []

    def alike() -> Iterable[StockCode]:
        reads.append("alike")
        return ITEMS

    def codes() -> list[str]:
        reads.append("codes")
        return [item.stock_code for item in ITEMS]

    catalogue = Catalogue({"MER-CRW-NVY-M": ITEMS[0]}, alike, codes)
    assert match_sku("MER-CRW-NVY-M", catalogue).stock_code == "MER-CRW-NVY-M"
    assert reads == []
    assert match_sku("OLD-77", catalogue).suggestion == "MER-CRW-NVY-L"
    assert match_sku("mer-crw-nvy-m", catalogue).suggestion == "MER-CRW-NVY-M"
    assert reads == ["alike"]
    assert match_sku("QQQQ", catalogue).suggestion == ""
    assert match_sku("QQQQQ", catalogue).suggestion == ""
    assert reads == ["alike", "codes"]


def test_a_hundred_thousand_codes_are_no_trouble() -> None:
    catalogue = Catalogue.of(StockCode(f"ITEM-{number:06d}-BLU", str(number)) for number in range(100_000))
    assert match_sku("ITEM-099999-BLU", catalogue).problem == ""
    assert match_sku("item 099999 blu", catalogue).suggestion == "ITEM-099999-BLU"
    assert match_sku("ITEM-0999999-BLU", catalogue).suggestion_rule == "near"


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Mer-Crw NVY/m", "mercrwnvym"), ("ＡＢ１", "ab1"), ("Straße", "strasse"), ("--", ""), ("", "")],
)
def test_normalised_text_has_no_case_space_or_punctuation(text: str, plain: str) -> None:
    assert normalised(text) == plain == normalised(plain)


CODES = st.lists(st.text(string.ascii_letters + " -", min_size=1, max_size=4), unique=True, max_size=8)


@given(CODES, st.text(string.ascii_letters + " -", max_size=4))
def test_a_stock_code_is_given_only_for_the_same_text(codes: list[str], sku: str) -> None:
    match = match_sku(sku, Catalogue.of(StockCode(code, code) for code in codes))
    is_exact = bool(sku.strip()) and sku in codes
    assert match.stock_code == (sku if is_exact else None)
    assert bool(match.problem) is not is_exact


@given(CODES, st.text(string.ascii_letters, min_size=1, max_size=4))
def test_the_order_of_the_catalogue_changes_nothing(codes: list[str], sku: str) -> None:
    items = [StockCode(code, code) for code in codes]
    assert match_sku(sku, Catalogue.of(items)) == match_sku(sku, Catalogue.of(reversed(items)))


@given(CODES, st.text(string.ascii_letters, min_size=1, max_size=4))
def test_ambiguous_means_two_codes_that_look_the_same(codes: list[str], sku: str) -> None:
    alike = [code for code in codes if normalised(code) == normalised(sku)]
    match = match_sku(sku, Catalogue.of(StockCode(code, code) for code in codes))
    assert (match.problem == "sku_ambiguous") is (sku not in codes and len(alike) > 1)
