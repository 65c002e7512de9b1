from __future__ import annotations

import json
import typing
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.khaos import documents
from khaos_swap_assets.adapters.settings import KhaosSettings
from khaos_swap_assets.domain.documents.credit_notes import Draft
from khaos_swap_assets.domain.documents.draft_lines import DraftLine

AT = datetime(2025, 7, 10, 23, 30, 5, 123, tzinfo=UTC)
PARTY = {
    "InvoiceAddress": {"Line1": "14 Quarry Lane", "Town": "Matlock", "Country": {"Code": "GB"}},
    "InvoiceContact": {"Forename": "Zoë", "Surname": "Patel"},
}
SETTINGS = KhaosSettings()
DRAFT = Draft(
    store_id="store",
    return_id="r-1",
    ordinal=1,
    rma="RMA1001",
    so_code="SO1",
    order_ref="KCCLX10482",
    customer_code="PATEL0007",
    currency="GBP",
    value_pence=18498,
    lines=(DraftLine("p1", "FELL-JKT-MOS-M", 2, 8499, "sellable"), DraftLine("p2", "SOCK-1", 1, 1500, "damaged")),
)


def document(
    draft: Draft = DRAFT,
    reference: str = "RMA1001",
    party: Mapping[str, object] = PARTY,
    settings: KhaosSettings = SETTINGS,
) -> str:
    return documents.with_party(bare(draft, reference, party, settings), party)


def bare(
    draft: Draft = DRAFT,
    reference: str = "RMA1001",
    party: Mapping[str, object] = PARTY,
    settings: KhaosSettings = SETTINGS,
) -> str:
    return documents.return_document(draft, reference=reference, created_at=AT, party=party, settings=settings)


def test_the_document_is_the_contract_to_the_byte() -> None:
    assert document() == (
        '{"AssociatedRef":"RMA1001","CreatedDate":"2025-07-11T00:30:05","ExchangeItems":[],'
        '"InvoiceAddress":{"Country":{"Code":"GB"},"Line1":"14 Quarry Lane","Town":"Matlock"},'
        '"InvoiceContact":{"Forename":"Zoë","Surname":"Patel"},"Notes":"Swap RMA RMA1001","ProcessReturn":true,'
        '"ReturnedItems":['
        '{"ExtendedDescription":[],"Mapping":[{"Mapping":"StockCode"}],"Quantity":2.0,"ReturnReason":{"ID":"1"},'
        '"SKU":"FELL-JKT-MOS-M","SourceReference":{"SourceOrder":{"AssociatedRef":"KCCLX10482"}},'
        '"UnitPrice":{"Gross":84.99}},'
        '{"ExtendedDescription":[],"Mapping":[{"Mapping":"StockCode"}],"Quantity":1.0,"ReturnReason":{"ID":"2"},'
        '"SKU":"SOCK-1","SourceReference":{"SourceOrder":{"AssociatedRef":"KCCLX10482"}},"UnitPrice":{"Gross":15.00}}],'
        '"URN":"PATEL0007"}'
    )


def test_the_same_draft_gives_the_same_bytes() -> None:
    assert document() == document()


def test_a_source_reference_has_exactly_one_key() -> None:
    for item in json.loads(document())["ReturnedItems"]:
        assert list(item["SourceReference"]) == ["SourceOrder"]
        assert list(item["SourceReference"]["SourceOrder"]) == ["AssociatedRef"]


@pytest.mark.parametrize("spelling", typing.get_args(KhaosSettings.model_fields["source_pointer"].annotation))
def test_the_pointer_to_the_order_is_spelt_as_the_setting_says(spelling: str) -> None:
    made = json.loads(document(settings=KhaosSettings.model_validate({"source_pointer": spelling})))
    (first, *_), names = made["ReturnedItems"], spelling.split(".")
    for name in names:
        first = first[name]
    assert first == {"AssociatedRef": "KCCLX10482"}
    assert len({"SourceReference", "SourceReturnReference"} & made["ReturnedItems"][0].keys()) == 1


TEXTS = st.text("#a b1", min_size=1, max_size=8)


@given(TEXTS, TEXTS, TEXTS)
def test_no_free_text_holds_a_hash_and_codes_stay_as_they_are(rma: str, line: str, name: str) -> None:
    given_party = {
        "InvoiceAddress": {"Line1": line, "Town": line, "Country": {"Code": "GB"}},
        "InvoiceContact": {"Forename": name, "Surname": name},
    }
    made = json.loads(document(replace(DRAFT, rma=rma, order_ref="KCC#LX10482"), party=given_party))
    assert made["ReturnedItems"][0]["SourceReference"]["SourceOrder"]["AssociatedRef"] == "KCC#LX10482"
    free = {key: value for key, value in made.items() if key not in ("ReturnedItems", "URN", "AssociatedRef")}
    assert "#" not in json.dumps(free)


def test_a_hash_in_an_address_becomes_a_space() -> None:
    party = {**PARTY, "InvoiceAddress": {"Line1": "Flat #3, Apt#4", "Town": "Matlock"}}
    assert json.loads(document(party=party))["InvoiceAddress"]["Line1"] == "Flat 3, Apt 4"


def test_nothing_in_it_is_null() -> None:
    assert "null" not in document()


@pytest.mark.parametrize(
    ("disposition", "reason"),
    [
        ("sellable", "11"),
        ("damaged", "12"),
        ("missing", "13"),
        ("neutral", "13"),
        ("kept", "14"),
        ("b_grade", "13"),
        ("written_off", "13"),
    ],
)
def test_a_disposition_names_its_reason(disposition: str, reason: str) -> None:
    settings = KhaosSettings(reason_sellable="11", reason_damaged="12", reason_missing="13", reason_kept="14")
    assert documents.reason_of(disposition, settings) == reason


@pytest.mark.parametrize("disposition", ["", "Sellable", "wrong", "kept"])
def test_an_unknown_disposition_has_no_reason(disposition: str) -> None:
    with pytest.raises(ValueError, match="no disposition"):
        documents.reason_of(disposition, SETTINGS)


def line(quantity: int = 1, pence: int = 8499, disposition: str = "sellable") -> DraftLine:
    return DraftLine("p", "A", quantity, pence, disposition)


@pytest.mark.parametrize(
    ("draft", "reference", "words"),
    [
        (DRAFT, "RMA1001-LONG-REF", "not 1 to 15 characters"),
        (DRAFT, "", "not 1 to 15 characters"),
        (replace(DRAFT, value_pence=18499), "R", "add up to 18498 pence, the draft to 18499"),
        (replace(DRAFT, lines=(), value_pence=0), "R", "no line"),
        (replace(DRAFT, lines=(line(0),), value_pence=0), "R", "no units"),
        (replace(DRAFT, lines=(line(2, 9000), line(1, -100)), value_pence=17900), "R", "negative price"),
        (replace(DRAFT, lines=(line(1, 0),), value_pence=0), "R", "add up to 0 pence"),
        (replace(DRAFT, lines=(line(disposition="?"),), value_pence=8499), "R", "no disposition"),
        (replace(DRAFT, customer_code=""), "R", "no customer or no order"),
        (replace(DRAFT, order_ref=""), "R", "no customer or no order"),
    ],
)
def test_what_must_never_leave_is_refused(draft: Draft, reference: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        document(draft, reference)


@pytest.mark.parametrize(
    ("party", "words"),
    [
        ({}, "no InvoiceAddress and no InvoiceContact"),
        ({**PARTY, "InvoiceContact": {}}, "the party has no InvoiceContact"),
    ],
)
def test_a_document_needs_a_whole_party(party: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        documents.with_party(bare(), party)
    with pytest.raises(ValueError, match=words):
        bare(party=party)


def test_a_document_holds_no_name_and_address_until_it_leaves() -> None:
    assert "Patel" not in bare()
    assert "Quarry" not in bare()


def test_a_currency_without_decimals_has_none_in_the_document() -> None:
    yen = replace(DRAFT, currency="JPY", lines=(line(1, 1200),), value_pence=1200)
    assert '"UnitPrice":{"Gross":1200}' in document(yen)


def test_what_has_no_place_in_json_is_refused() -> None:
    with pytest.raises(TypeError, match="float has no place"):
        bare(party={"InvoiceAddress": {"Line1": 1.5}, "InvoiceContact": {"Surname": "x"}})


LINES = st.lists(
    st.builds(
        DraftLine,
        st.just("p"),
        st.text('ABC-1é/" ', min_size=1, max_size=12),
        st.integers(1, 99),
        st.integers(0, 10**7),
        st.sampled_from(["sellable", "damaged", "missing", "neutral"]),
    ),
    min_size=1,
    max_size=8,
).filter(lambda lines: sum(found.gross_pence for found in lines) > 0)


@given(LINES, st.sampled_from([("GBP", 2), ("JPY", 0), ("KWD", 3)]))
def test_a_document_adds_up_to_its_draft_exactly(lines: list[DraftLine], money: tuple[str, int]) -> None:
    currency, places = money
    value = sum(found.gross_pence for found in lines)
    text = document(replace(DRAFT, lines=tuple(lines), value_pence=value, currency=currency))
    read = json.loads(text, parse_float=Decimal)
    total = sum(item["Quantity"] * Decimal(item["UnitPrice"]["Gross"]) for item in read["ReturnedItems"])
    assert total.scaleb(places) == value
    assert [item["SKU"] for item in read["ReturnedItems"]] == [found.stock_code for found in lines]
