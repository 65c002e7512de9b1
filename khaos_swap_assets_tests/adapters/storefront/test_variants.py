"""Reading what the shop lists: page after page, as it is spelled there."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.storefront.client import StorefrontClient
from khaos_swap_assets.adapters.storefront.variants import listed_variants


class Pages:
    """A client that has these pages."""

    store = ""

    def __init__(self, *pages: list[Any]) -> None:
        self.pages = pages

    def every_page(self, query: str, *within: str) -> Any:
        assert within == ("productVariants",)
        assert "productVariants(first: $first, after: $after)" in query
        yield from self.pages


def variant(number: int, sku: object, **changes: Any) -> dict[str, Any]:
    made = {"id": f"gid://shopify/ProductVariant/{number}", "sku": sku, "displayName": "Hat / M"}
    return {**made, "product": {"status": "ACTIVE"}, **changes}


def read(*pages: list[Any]) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    found, faults = listed_variants(Pages(*pages))  # type: ignore[arg-type]
    return [(one.variant_id, one.sku, one.title) for one in found], [(one.subject, one.reason) for one in faults]


def test_every_page_is_read_and_a_sku_keeps_its_spelling() -> None:
    found, faults = read([variant(1, " HAT#1 "), variant(2, None)], [variant(3, "CAP")])
    assert found == [("1", " HAT#1 ", "Hat / M"), ("2", "", "Hat / M"), ("3", "CAP", "Hat / M")]
    assert faults == []


@pytest.mark.parametrize("product", [{"status": "DRAFT"}, {"status": "ARCHIVED"}, {"status": "new word"}, None, "x"])
def test_what_is_not_on_sale_is_left_out(product: object) -> None:
    assert read([variant(1, "HAT", product=product)]) == ([], [])


@pytest.mark.parametrize(
    ("broken", "subject"),
    [
        (variant(1, 5), "variant 1"),
        (variant(1, "x" * 201), "variant 1"),
        (variant(1, "HAT\0"), "variant 1"),
        (variant(1, "HAT", id="?"), "variant "),
        ("text", "variant "),
    ],
)
def test_one_that_cannot_be_read_loses_itself_alone(broken: Any, subject: str) -> None:
    found, faults = read([broken, variant(2, "CAP")])
    assert [one[1] for one in found] == ["CAP"]
    assert [told for told, _ in faults] == [subject]
    assert all(reason for _, reason in faults)


def test_a_refusal_leaves_nothing_half_read() -> None:
    class Refusing(Pages):
        def every_page(self, query: str, *within: str) -> Any:
            yield from super().every_page(query, *within)
            raise PermanentError("ACCESS_DENIED")

    shop: Any = Refusing([variant(1, "HAT")])
    assert not isinstance(shop, StorefrontClient)
    with pytest.raises(PermanentError):
        listed_variants(shop)
