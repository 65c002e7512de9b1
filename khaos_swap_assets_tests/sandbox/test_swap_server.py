"""Swap's list of returns: key, filters, order, paging, errors and bad days."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_query import RefusalError
from khaos_swap_assets.sandbox.swap_server import PATH, answer, swap_router

Params = dict[str, str]


@pytest.fixture
def state() -> State:
    return State(build(1, 230))


def ask(state: State, **params: str) -> dict[str, Any]:
    return answer(state, {"x-api-key": state.api_key}, {"swap_store_id": state.world.store_id, **params})


def pages(state: State, **params: str) -> Iterator[dict[str, Any]]:
    number, has_next = 1, True
    while has_next:
        body = ask(state, page=str(number), **params)
        yield body
        number, has_next = number + 1, body["pagination"]["has_next_page"]


def numbers(state: State, **params: str) -> list[str]:
    return [row["rma_number"] for body in pages(state, **params) for row in body["returns"]]


def http(state: State, headers: dict[str, str] | None = None, **params: str) -> httpx.Response:
    app = FastAPI()
    app.include_router(swap_router(state))

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://swap.test") as client:
            return await client.get(PATH, params={"swap_store_id": state.world.store_id, **params}, headers=headers)

    return asyncio.run(get())


def with_key(state: State) -> dict[str, str]:
    return {"X-API-Key": state.api_key}


def refusal(state: State, **params: str) -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        ask(state, **params)
    return caught.value


def test_an_answer_over_http(state: State) -> None:
    response = http(state, with_key(state), items_per_page="3")
    body = response.json()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert (len(body["returns"]), body["version"]) == (3, 2)
    assert body["query_params"] == {"swap_store_id": state.world.store_id, "items_per_page": 3}


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}, {"x-api-key": ""}])
def test_a_wrong_key_is_401_in_the_shape_of_nest(state: State, headers: dict[str, str]) -> None:
    response = http(state, headers)
    assert response.status_code == 401
    assert response.json() == {"statusCode": 401, "message": "Unauthorized", "error": "Unauthorized"}


@pytest.mark.parametrize("size", ["1", "7", "50", "100"])
@pytest.mark.parametrize("sort", ["updated_asc", "created_desc", "random"])
def test_pages_hold_every_submitted_return_once(state: State, size: str, sort: str) -> None:
    state.switches["sort"] = sort
    shown = numbers(state, items_per_page=size)
    assert len(shown) == len(set(shown))
    assert set(shown) == {number for number, rma in state.world.rmas.items() if rma.is_submitted}


def test_the_pagination_object(state: State) -> None:
    bodies = [body["pagination"] for body in pages(state, items_per_page="100")]
    total = bodies[0]["total_items"]
    assert [body["current_page_size"] for body in bodies] == [100, 100, total - 200]
    assert [body["items_in_remaining_pages"] for body in bodies] == [total - 100, total - 200, 0]
    assert [body["has_previous_page"] for body in bodies] == [False, True, True]
    assert {(body["total_pages"], body["items_per_page"]) for body in bodies} == {(3, 100)}


def test_a_page_beyond_the_end_is_empty(state: State) -> None:
    body = ask(state, page="99")
    assert body["returns"] == []
    assert not body["pagination"]["has_next_page"]


def test_orders_of_rows(state: State) -> None:
    rmas = state.world.rmas
    ascending = [rmas[number].updated_at for number in numbers(state)]
    state.switches["sort"] = "created_desc"
    descending = [rmas[number].created_at for number in numbers(state)]
    state.switches["sort"] = "random"
    random = [rmas[number].updated_at for number in numbers(state)]
    assert ascending == sorted(ascending)
    assert descending == sorted(descending, reverse=True)
    assert random not in (ascending, ascending[::-1])


def test_pages_are_clamped_or_refused_by_the_switch(state: State) -> None:
    assert ask(state, items_per_page="500")["pagination"]["items_per_page"] == 100
    state.switches["over_max_page_size"] = "400"
    assert refusal(state, items_per_page="500").body("nest") == {
        "statusCode": 400,
        "message": ["items_per_page must not be greater than 100"],
        "error": "Bad Request",
    }


@pytest.mark.parametrize(
    ("params", "faults"),
    [
        ({"page": "0"}, ["page must not be less than 1"]),
        (
            {"page": "x", "items_per_page": "-1"},
            ["items_per_page must not be less than 1", "page must not be less than 1"],
        ),
        ({"last_RMA_updated_date": "gestern"}, ["last_RMA_updated_date must be a valid ISO 8601 date string"]),
        ({"swap_store_id": ""}, ["swap_store_id should not be empty"]),
    ],
)
def test_bad_parameters_are_400_with_every_fault(state: State, params: Params, faults: list[str]) -> None:
    assert refusal(state, **params).message == faults


def test_another_store_is_404(state: State) -> None:
    assert refusal(state, swap_store_id="st_other").status == 404


def test_filters(state: State) -> None:
    rma = next(rma for rma in state.world.rmas.values() if rma.order_name)
    email = state.world.customers[rma.urn].email
    for params in (
        {"rma_number": rma.rma_number},
        {"shopify_order_name": rma.order_name},
        {"shopify_order_name": rma.order_name[1:]},
        {"customer_email": email},
    ):
        assert numbers(state, **params) == [rma.rma_number]
    assert numbers(state, rma_number="RMA-0") == []


def test_bounds_of_dates_are_inclusive(state: State) -> None:
    rma = next(rma for rma in state.world.rmas.values() if rma.is_submitted)
    updated, created = rma.updated_at.isoformat(), rma.created_at.isoformat()
    assert rma.rma_number in numbers(state, last_RMA_updated_date=updated)
    later = (rma.updated_at + timedelta(seconds=1)).isoformat()
    assert rma.rma_number not in numbers(state, last_RMA_updated_date=later)
    exact = numbers(state, from_return_submission_date=created, to_return_submission_date=created)
    assert exact == [rma.rma_number]


@pytest.mark.parametrize("text", ["2026-06-15T00:00:00Z", "2026-06-15T00:00:00", "2026-06-15T01:00:00+01:00"])
def test_a_date_without_a_zone_is_utc(state: State, text: str) -> None:
    assert numbers(state, last_RMA_updated_date=text) == numbers(state, last_RMA_updated_date="2026-06-15T00:00:00Z")


def test_a_return_appears_when_it_is_submitted_and_moves_on_with_the_clock(state: State) -> None:
    later = [number for number, rma in state.world.rmas.items() if not rma.is_submitted]
    assert later
    state.world.now += timedelta(days=16)
    assert set(later) <= set(numbers(state))


def test_switches_reach_the_wire(state: State) -> None:
    state.switches |= {"date_style": "iso", "null_style": "null", "amount_style": "string"}
    row = ask(state)["returns"][0]
    assert row["date_created"].endswith("Z")
    assert isinstance(row["total"], str)
    assert None in {row["rma_processed"] for row in ask(state, items_per_page="100")["returns"]}


@pytest.mark.parametrize(("fault", "status"), [("swap_429", 429), ("swap_500", 500)])
def test_an_armed_fault_happens_once(state: State, fault: str, status: int) -> None:
    state.faults.arm(fault)
    first, second = (http(state, with_key(state)) for _ in range(2))
    assert (first.status_code, second.status_code) == (status, 200)
    assert first.json()["statusCode"] == status
    assert first.headers.get("Retry-After") == ("1" if status == 429 else None)


def test_a_truncated_body_is_no_json_and_the_next_is_whole(state: State) -> None:
    state.faults.arm("swap_truncated")
    with pytest.raises(json.JSONDecodeError):
        http(state, with_key(state)).json()
    assert http(state, with_key(state)).json()["returns"]


def test_a_slow_answer_takes_its_time(state: State) -> None:
    state.faults.arm("swap_slow")
    state.switches["slow_seconds"] = "0.05"
    began = time.monotonic()
    assert http(state, with_key(state), items_per_page="1").status_code == 200
    assert time.monotonic() - began >= 0.05


def test_a_drift_hides_a_row_and_moves_the_total(state: State) -> None:
    whole = numbers(state, items_per_page="100")
    bodies = [ask(state, page="1", items_per_page="100")]
    state.faults.arm("swap_page_drift")
    bodies += [ask(state, page=page, items_per_page="100") for page in ("2", "3")]
    shown = [row["rma_number"] for body in bodies for row in body["returns"]]
    assert set(whole) - set(shown) == {whole[100]}
    assert [body["pagination"]["total_items"] for body in bodies] == [len(whole), len(whole) - 1, len(whole)]


def test_a_first_page_does_not_use_the_drift_up(state: State) -> None:
    state.faults.arm("swap_page_drift")
    ask(state, page="1")
    assert "swap_page_drift" in state.faults.armed


def test_a_duplicate_repeats_a_row(state: State) -> None:
    state.faults.arm("swap_duplicate")
    rows = ask(state, items_per_page="10")["returns"]
    assert len(rows) == 11
    assert rows[0] == rows[10]
