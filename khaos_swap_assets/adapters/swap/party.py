"""The customer's name and address of a return, in the members that Khaos's return document has.

Belongs here: reading them from Swap's row, cut to Khaos's lengths. Stays out: keeping them, which is done sealed only
(``stages.returns``). Source: contracts/swap.md §2.6, contracts/khaos.md §8.3, §8.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from khaos_swap_assets.adapters.swap.raw import cleaned

Party = dict[str, dict[str, object]]
_LINES = {"Line1": ("address1", 35), "Line2": ("address2", 35), "Town": ("city", 35), "Postcode": ("postcode", 10)}
LONGEST_NAME = 50


def party_of(row: Mapping[str, Any]) -> Party:
    """``InvoiceAddress`` and ``InvoiceContact`` of the billing address, else of the shipping address.

    Empty unless there is a first line, a town, a country and a name: Khaos requires all of them.
    """
    for name in ("billing_address", "shipping_address"):
        given = row.get(name)
        if isinstance(given, Mapping) and (found := _party(given, _text(row, "customer_name"))):
            return found
    return {}


def _party(given: Mapping[str, Any], customer: str) -> Party:
    address: dict[str, object] = {
        member: text[:length] for member, (name, length) in _LINES.items() if (text := _text(given, name))
    }
    forename, _, surname = (_text(given, "name") or customer).rpartition(" ")
    country = _text(given, "country_code")
    if not (address.keys() >= {"Line1", "Town"} and country and surname):
        return {}
    contact: dict[str, object] = {"Forename": forename.strip()[:LONGEST_NAME], "Surname": surname[:LONGEST_NAME]}
    return {
        "InvoiceAddress": {**address, "Country": {"Code": country}},
        "InvoiceContact": {name: text for name, text in contact.items() if text},
    }


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return str(cleaned(value)).strip() if isinstance(value, str) and value.strip() != "N/A" else ""
