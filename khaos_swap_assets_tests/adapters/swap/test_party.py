"""Name and address for a return document: of the billing address, whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.adapters.swap.party import party_of

ADDRESS = {
    "name": "Priya Anne Nolan", "address1": "4 Mill Row", "address2": "", "city": "Leeds", "postcode": "LS1 4AB",
    "state_province_code": "", "country_code": "GB",
}  # fmt: skip
PARTY = {
    "InvoiceAddress": {"Line1": "4 Mill Row", "Town": "Leeds", "Postcode": "LS1 4AB", "Country": {"Code": "GB"}},
    "InvoiceContact": {"Forename": "Priya Anne", "Surname": "Nolan"},
}


@pytest.mark.parametrize(
    "row",
    [
        {"billing_address": ADDRESS},
        {"billing_address": None, "shipping_address": ADDRESS},
        {"billing_address": {**ADDRESS, "city": " "}, "shipping_address": ADDRESS},
        {"billing_address": {**ADDRESS, "name": "N/A"}, "customer_name": "Priya Anne Nolan"},
    ],
)
def test_the_first_whole_address_counts(row: dict[str, Any]) -> None:
    assert party_of(row) == PARTY


@pytest.mark.parametrize("lacking", ["address1", "city", "country_code", "name"])
def test_half_an_address_is_none(lacking: str) -> None:
    for empty in ("", None, "N/A", 7):
        assert party_of({"billing_address": {**ADDRESS, lacking: empty}}) == {}


@pytest.mark.parametrize("row", [{}, {"billing_address": "4 Mill Row, Leeds"}, {"billing_address": []}])
def test_what_is_no_address_is_none(row: dict[str, Any]) -> None:
    assert party_of(row) == {}


def test_everything_is_cut_to_khaos_s_lengths_and_can_be_stored() -> None:
    long = dict.fromkeys(ADDRESS, "x" * 99) | {"name": "y" * 99 + " " + "z" * 99, "country_code": "GB", "city": "a\0b"}
    found = party_of({"billing_address": long})
    address, contact = found["InvoiceAddress"], found["InvoiceContact"]
    assert [len(str(address[name])) for name in ("Line1", "Line2", "Postcode")] == [35, 35, 10]
    assert [len(str(contact[name])) for name in ("Forename", "Surname")] == [50, 50]
    assert "\0" not in str(address["Town"])


def test_a_single_name_is_a_surname() -> None:
    assert party_of({"billing_address": {**ADDRESS, "name": "Nolan"}})["InvoiceContact"] == {"Surname": "Nolan"}
