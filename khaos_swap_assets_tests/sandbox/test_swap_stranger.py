"""A plain HTTP client works against the Swap sandbox by the samples of contracts/swap.md alone (§2-§4, §9.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.persistence import Keeper
from khaos_swap_assets.sandbox.scenarios import closing
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_quality import CONDITIONS
from khaos_swap_assets.sandbox.world import Rma, RmaLine
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, NOW, RMA, client_of, served, small_world
from khaos_swap_assets_tests.sandbox.test_swap_wire import REQUIRED, REQUIRED_OF_PRODUCTS

ORDER_NAMES = {"rma": "rma_number", "order_name": "shopify_order_name", "processed": "rma_processed"}
NOT_IN_V1 = """
shopify_return_id submission_date intention_date customer_email total_store_credit_value_customer_currency
store_credit_revenue return_shipments exchange_items portal_quick_link
"""
ONLY_IN_V1 = {"submitted_at", "order_alt_type", "date_closed"}
PAGES = """
page items_per_page current_page_size total_pages total_items items_in_remaining_pages has_next_page has_previous_page
"""
DONE = {"message": "Quality control update processed successfully"}


class Swap:
    """A sandbox and a client that knows its key."""

    def __init__(self, state: State, client: httpx.Client, url: str = "") -> None:
        self.state, self.client = state, client
        self.base = f"{url}/returns-api"
        self.key = {"x-api-key": state.api_key}
        self.store = state.world.store_id

    def get(self, path_and_query: str, **headers: str) -> httpx.Response:
        return self.client.get(f"{self.base}{path_and_query}", headers={**self.key, **headers})

    def numbers(self, **params: str) -> list[str]:
        answer = self.client.get(
            f"{self.base}/v2/external/returns", params={"swap_store_id": self.store, **params}, headers=self.key
        )
        return [row["rma_number"] for row in answer.json()["returns"]]

    def orders(self, **params: str) -> list[str]:
        answer = self.client.get(
            f"{self.base}/v1/external/returns", params={"store": self.store, **params}, headers=self.key
        )
        return [row["rma"] for row in answer.json()["orders"]]

    def control(self, **changes: object) -> httpx.Response:
        """The contract's own sample of an update, with some fields changed; None leaves one out."""
        sample: dict[str, object] = {
            "store_id": self.store,
            "shopify_order_name": "#LX10482",
            "shopify_line_item_id": "111",
            "sku": JACKET,
            "condition": "Sellable",
            "return_qty": 1,
            "receipt_date": "2026-03-09T10:05:00Z",
            "carton_id": "CTN-0381",
        }
        body = {name: value for name, value in (sample | changes).items() if value is not None}
        return self.client.post(f"{self.base}/v1/external/quality-control/update", json=body, headers=self.key)

    @property
    def rma(self) -> Rma:
        return self.state.world.rmas[RMA]

    def shown_status(self) -> str:
        row = self.get(f"/v2/external/returns?swap_store_id={self.store}&rma_number={RMA}").json()["returns"][0]
        return str(row["quality_control_status"])


@pytest.fixture(scope="module")
def month() -> Iterator[Swap]:
    """A month of returns over real HTTP."""
    state = State(build(5, 60))
    with served(create_app(state, gateway_url="http://127.0.0.1:9")) as url, httpx.Client(trust_env=False) as client:
        yield Swap(state, client, url)


@pytest.fixture(scope="module")
def small() -> tuple[State, httpx.Client]:
    state = State(small_world())
    return state, client_of(create_app(state, gateway_url="http://127.0.0.1:9"))


@pytest.fixture
def swap(small: tuple[State, httpx.Client]) -> Swap:
    """The small world as new, its one return open."""
    state, client = small
    state.world, state.switches = small_world(), {}
    rma = state.world.rmas[RMA]
    rma.status, rma.refund_pence, rma.processed_at, rma.closed_at = "Open", 0, None, None
    return Swap(state, client)


def test_the_sample_of_the_v2_list(month: Swap) -> None:
    answer = month.get(
        f"/v2/external/returns?swap_store_id={month.store}&last_RMA_updated_date=2026-03-01T00:00:00Z"
        "&items_per_page=100&page=1&api_version=2"
    )
    body = answer.json()
    asked = {"last_RMA_updated_date": "2026-03-01T00:00:00Z", "api_version": 2, "items_per_page": 100, "page": 1}
    assert (answer.status_code, body["version"]) == (200, 2)
    assert body["query_params"] == {"swap_store_id": month.store, **asked}
    assert body["pagination"].keys() == set(PAGES.split())
    assert len(body["returns"]) == body["pagination"]["total_items"] > 50
    for row in body["returns"]:
        assert not set(REQUIRED.split()) - row.keys()


def test_the_sample_of_the_v1_list(month: Swap) -> None:
    sample = f"/v1/external/returns?store={month.store}&from_date=2026-03-01T00:00:00Z&items_per_page=50&page=1"
    body = month.get(sample).json()
    asked = {"from_date": "2026-03-01T00:00:00Z", "items_per_page": 50, "page": 1}
    assert (body["version"], body["query_params"]) == (1, {"store": month.store, **asked})
    assert body["pagination"].keys() == set(PAGES.split())
    assert len(body["orders"]) == 50
    wanted = set(REQUIRED.split()) - set(NOT_IN_V1.split()) - set(ORDER_NAMES.values()) | ORDER_NAMES.keys()
    for row in body["orders"]:
        assert not (wanted | ONLY_IN_V1) - row.keys()
        assert not row.keys() & (set(NOT_IN_V1.split()) | set(ORDER_NAMES.values()))
        assert all(not set(REQUIRED_OF_PRODUCTS.split()) - product.keys() for product in row["products"])


def test_both_lists_tell_the_same_returns_page_by_page(month: Swap) -> None:
    told: list[dict[str, Any]] = []
    page, has_next = 1, True
    while has_next:
        body = month.get(f"/v1/external/returns?store={month.store}&items_per_page=25&page={page}").json()
        told, page, has_next = [*told, *body["orders"]], page + 1, body["pagination"]["has_next_page"]
    rows = month.get(f"/v2/external/returns?swap_store_id={month.store}&items_per_page=100").json()["returns"]
    seen = [{new: row[old] for new, old in ORDER_NAMES.items()} | {"total": row["total"]} for row in rows]
    assert [{name: row[name] for name in (*ORDER_NAMES, "total")} for row in told] == seen


def test_each_filter_of_v2(swap: Swap) -> None:
    order = swap.rma.order_name.removeprefix("#")
    assert swap.numbers(rma_number=RMA) == swap.numbers(shopify_order_name=f"#{order}") == [RMA]
    sample = swap.get(f"/v2/external/returns?swap_store_id=st_1&shopify_order_name=%23{order}").json()
    assert (len(sample["returns"]), sample["query_params"]["shopify_order_name"]) == (1, f"#{order}")
    assert swap.numbers(customer_email="a.patel@example.com", shopify_order_name=order) == [RMA]
    assert swap.numbers(rma_number="RMA-0") == swap.numbers(customer_email="no@example.com") == []
    assert swap.numbers(from_return_submission_date="2026-06-13T09:00:00Z") == [RMA]
    assert swap.numbers(from_return_submission_date="2026-06-13T09:00:01Z") == []
    assert swap.numbers(to_return_submission_date="2026-06-13T08:59:59Z") == []


@pytest.mark.parametrize(
    ("params", "is_shown"),
    [
        ({"from_date": "2026-07-03T09:00:00Z"}, True),
        ({"from_date": "2026-07-03T09:00:01Z"}, False),
        ({"to_date": "2026-07-03T09:00:00Z"}, True),
        ({"from_date": "2026-06-01T00:00:00Z", "to_date": "2026-07-01T00:00:00Z"}, False),
        ({"last_updated_date": "2026-07-03T09:00:01Z"}, False),
        ({"submitted_at_from": "2026-06-13T00:00:00Z", "submitted_at_to": "2026-06-14T00:00:00Z"}, True),
        ({"submitted_at_from": "2026-06-14T00:00:00Z", "submitted_at_to": "2026-06-15T00:00:00Z"}, False),
        ({"from_date": "2030-01-01T00:00:00Z", "last_updated_date": "2026-07-03T09:00:00Z"}, True),
        ({"from_date": "2026-07-01T00:00:00Z", "last_updated_date": "2030-01-01T00:00:00Z"}, False),
        ({"last_updated_date": "2030-01-01T00:00:00Z", "submitted_at_from": "2026-06-13T00:00:00Z"}, True),
        ({"from_date": "2026-07-01T00:00:00Z", "submitted_at_to": "2026-06-01T00:00:00Z"}, False),
    ],
)
def test_a_filter_of_v1_beats_the_next(swap: Swap, params: dict[str, str], is_shown: bool) -> None:
    assert swap.orders(**params) == [RMA] * is_shown


@pytest.mark.parametrize("condition", [*CONDITIONS, "sellable", "no value"])
def test_each_condition_is_written_down_and_moves_no_money(swap: Swap, condition: str) -> None:
    swap.state.world.now += timedelta(hours=1)
    answer = swap.control(condition=condition)
    word = {"sellable": "Sellable", "no value": "No-Value"}.get(condition, condition)
    status = {"Sellable": "Approved", "Pending": "Pending", "Missing": "Missing"}.get(word, "Not Approved")
    assert (answer.status_code, answer.json()) == (200, DONE)
    assert (swap.shown_status(), swap.rma.lines[0].quality) == (status, {word: 1})
    assert (swap.rma.status, swap.rma.refund_pence, swap.rma.updated_at) == ("Open", 0, swap.state.world.now)
    assert swap.state.world.webhooks_due == []


def test_a_return_is_pending_until_each_unit_was_spoken_of(swap: Swap) -> None:
    swap.rma.lines += [RmaLine("prd_2", "112", HAT, 2, 2000), RmaLine("prd_3", "113", HAT, 1, 0, is_kept=True)]
    by_sku = {"shopify_line_item_id": None, "shopify_order_name": None, "shopify_order_id": "59", "sku": HAT}
    told = []
    for changes in ({}, by_sku, {**by_sku, "condition": "Missing"}, {**by_sku, "return_qty": 2}):
        assert swap.control(**changes).status_code == 200
        told.append(swap.shown_status())
    assert told == ["Pending", "Pending", "Missing", "Approved"]


@pytest.mark.parametrize(("repeat", "units", "beyond"), [("overwrite", 1, []), ("add", 2, [])])
def test_a_repeat_overwrites_or_adds_by_the_switch(swap: Swap, repeat: str, units: int, beyond: list[int]) -> None:
    swap.state.switches["qc_repeat"] = repeat
    swap.rma.lines[0].quantity = 3
    for _ in range(2):
        swap.control()
    assert swap.rma.lines[0].quality == {"Sellable": units}
    assert [one["return_qty"] for one in swap.state.world.unexpected] == beyond


def test_more_units_than_the_line_holds_are_unexpected(swap: Swap) -> None:
    assert swap.control(condition="Damaged", return_qty=3).json() == DONE
    assert (swap.rma.lines[0].quality, swap.state.world.unexpected[0]["return_qty"]) == ({"Damaged": 1}, 2)


@pytest.mark.parametrize(
    "changes", [{"shopify_order_name": "#1"}, {"shopify_line_item_id": "9"}, {"shopify_line_item_id": "", "sku": "9"}]
)
def test_what_matches_nothing_is_unexpected_and_still_200(swap: Swap, changes: dict[str, object]) -> None:
    assert (swap.control(**changes).status_code, swap.shown_status()) == (200, "Pending")
    (shown,) = swap.client.get("/admin/ledger").json()["unexpected"]
    assert (shown["carton_id"], shown["condition"], shown["return_qty"]) == ("CTN-0381", "Sellable", 1)


def test_of_two_returns_of_a_line_the_open_one_is_meant(swap: Swap) -> None:
    swap.rma.status, swap.rma.processed_at = "Closed", NOW
    lines = [RmaLine("prd_9", "111", JACKET, 1, 8499)]
    other = Rma("RMA-2", "ret_2", "#LX10482", "59", swap.rma.urn, "GBP", NOW, NOW, lines)
    swap.state.world.rmas["RMA-2"] = other
    swap.control()
    assert (swap.rma.quality_control_status, other.quality_control_status) == ("Pending", "Approved")
    other.status = "Cancelled"
    swap.control()
    assert swap.rma.quality_control_status == "Approved"


@pytest.mark.parametrize("is_planned", [False, True])
def test_approval_of_all_pays_only_where_the_switch_says_so(swap: Swap, is_planned: bool) -> None:
    swap.state.switches["qc_auto_process"] = "on"
    swap.rma.handling_fee_pence = 250
    if is_planned:
        later = NOW + timedelta(days=3)
        swap.rma.steps = [(later, closing(later.isoformat(), 8499))]
    swap.control(condition="Damaged")
    assert swap.rma.status == "Open"
    swap.control()
    paid = (swap.rma.status, swap.rma.refund_pence, swap.rma.processed_at, swap.rma.steps)
    assert paid == ("Closed", 8499 if is_planned else 8249, NOW, [])
    assert swap.state.world.webhooks_due == [("returnProcessed", RMA)]
    swap.control()
    assert swap.state.world.webhooks_due == [("returnProcessed", RMA)]


def test_an_update_survives_a_killed_sandbox(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "world.sqlite")
    state = State(small_world())
    keeper.save_all(state.world)
    Swap(state, client_of(create_app(state, gateway_url="http://127.0.0.1:9", keep=keeper.save))).control()
    kept = keeper.load()
    keeper.close()
    assert kept
    assert kept.rmas[RMA].lines[0].quality == {"Sellable": 1}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"condition": None, "return_qty": None}, ["condition should not be empty", "return_qty must be an integer"]),
        ({"condition": "Lovely"}, ["condition must be one of the following values: Damaged, Missing"]),
        ({"return_qty": "1"}, ["return_qty must be an integer number"]),
        ({"return_qty": True}, ["return_qty must be an integer number"]),
        ({"return_qty": 0}, ["return_qty must not be less than 1"]),
        ({"sku": 7}, ["sku must be a string"]),
        ({"shopify_order_name": None}, ["shopify_order_id or shopify_order_name should not be empty"]),
        ({"sku": "", "shopify_line_item_id": None}, ["sku or shopify_line_item_id should not be empty"]),
        ({"receipt_date": "09-mar-2026"}, ["receipt_date must be a valid ISO 8601 date string"]),
    ],
)
def test_a_bad_update_is_400_with_each_fault(swap: Swap, changes: dict[str, object], told: list[str]) -> None:
    answer = swap.control(**changes)
    body = answer.json()
    assert (answer.status_code, body["statusCode"], body["error"]) == (400, 400, "Bad Request")
    assert len(body["message"]) == len(told)
    assert all(line.startswith(wanted) for line, wanted in zip(body["message"], told, strict=True))
    assert (swap.shown_status(), swap.state.world.unexpected) == ("Pending", [])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_update_is_400(swap: Swap, content: bytes) -> None:
    answer = swap.client.post("/returns-api/v1/external/quality-control/update", content=content, headers=swap.key)
    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")


def every_operation(swap: Swap, *, store: str, key: str) -> list[httpx.Response]:
    swap.store, swap.key = store, {"X-API-Key": key}
    lists = [swap.get(f"/v2/external/returns?swap_store_id={store}"), swap.get(f"/v1/external/returns?store={store}")]
    return [*lists, swap.control()]


@pytest.mark.parametrize(
    ("store", "key", "status", "message", "error"),
    [
        ("st_1", "wrong", 401, "Unauthorized", "Unauthorized"),
        ("st_other", "", 404, "Store not found", "Not Found"),
        ("", "", 400, None, "Bad Request"),
    ],
)
def test_errors_of_every_operation(
    swap: Swap, store: str, key: str, status: int, message: str | None, error: str
) -> None:
    for answer in every_operation(swap, store=store, key=key or swap.state.api_key):
        body = answer.json()
        assert (answer.status_code, body["statusCode"], body["error"]) == (status, status, error)
        assert body["message"] == message if message else "should not be empty" in body["message"][0]


@pytest.mark.parametrize("shape", ["nest", "nested"])
@pytest.mark.parametrize(("fault", "status"), [("swap_429", 429), ("swap_500", 500)])
def test_a_bad_day_of_every_operation_in_both_shapes(swap: Swap, shape: str, fault: str, status: int) -> None:
    swap.state.switches["error_shape"] = shape
    swap.state.faults.arm(fault, 3)
    for answer in every_operation(swap, store="st_1", key=swap.state.api_key):
        body = answer.json()
        assert answer.status_code == status
        assert (body["error"] if shape == "nested" else body)["message"] == answer.reason_phrase
        assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)
    assert swap.state.world.rmas[RMA].lines[0].quality == {}


def test_moments_of_v1_are_read_and_bounds_are_told(swap: Swap) -> None:
    assert swap.get("/v1/external/returns?store=st_1&items_per_page=51").json()["pagination"]["items_per_page"] == 50
    swap.state.switches["over_max_page_size"] = "400"
    told = swap.get("/v1/external/returns?store=st_1&items_per_page=51&page=0&from_date=gestern&version=x").json()
    assert told["message"] == [
        "items_per_page must not be greater than 50",
        "page must not be less than 1",
        "version must not be less than 1",
        "from_date must be a valid ISO 8601 date string",
    ]
