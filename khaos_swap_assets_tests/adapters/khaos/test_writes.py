"""What Khaos says to a call that should cancel an order, and by which parameters it is called."""

from __future__ import annotations

import pytest

from khaos_swap_assets.adapters.khaos.writes import OrderRefused, cancel_parameters, heard_of_cancelling

REFUSALS = [
    "ERROR: Order code and associated ref mismatch.",
    "The Associated Ref does not match the order",
    "Order SO1 was not imported by web services",
    "Invoice is not in an EDITABLE stage",
    "Order cannot be canceled",
    "This order cannot be edited.",
    "Order has already shipped",
    "Order is already shipping",
    "Invoice already issued",
    "The payment has already been processed",
    "Payment cannot be deleted, it is too old",
]
ANSWERS = ["", "Order has been cancelled.", "OK", "true", "Access violation at 004F8A3C", "Order already cancelled"]


@pytest.mark.parametrize("words", REFUSALS)
def test_each_family_of_refusal_is_known_and_its_words_are_kept(words: str) -> None:
    with pytest.raises(OrderRefused) as told:
        heard_of_cancelling(f"  {words}\n")
    assert str(told.value) == words


@pytest.mark.parametrize("words", ANSWERS)
def test_anything_else_proves_nothing_and_is_handed_on(words: str) -> None:
    assert heard_of_cancelling(words) == words


def test_a_long_answer_is_cut() -> None:
    assert len(heard_of_cancelling("x" * 5000)) == 200


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["OrderCode", "AssociatedRef"], {"OrderCode": "SO1", "AssociatedRef": "R1"}),
        (["SORDER_CODE"], {"SORDER_CODE": "SO1"}),
        (["ASSOCIATED_REF", "SOrderCode"], {"ASSOCIATED_REF": "R1", "SOrderCode": "SO1"}),
        (["AssociatedRef"], {}),
        (["OrderCode", "MappingType"], {}),
        ([], {}),
    ],
)
def test_it_is_called_only_by_parameters_that_are_all_known(names: list[str], found: dict[str, str]) -> None:
    assert cancel_parameters(names, "SO1", "R1") == found
