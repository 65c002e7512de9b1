"""The bench behind the desk: a return by its label, findings kept once, corrections, and who may."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from httpx import Response

from khaos_swap_assets.domain.desk.members import Member, Role
from khaos_swap_assets_tests.desk.visiting import Visitor
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return

FOUND = "SELECT inspection_id, condition, quantity, inspected_by, source FROM recon.inspections ORDER BY received_at, 1"
OPEN: dict[str, Any] = {"status": "Open", "processed_at": None, "closed_at": None, "quality_control_status": "Pending"}
PRODUCTS = [{"product_id": "P-HAT", "product_name": "Wool hat", "variant_name": "Navy / M", "sku": "HAT"}]


@pytest.fixture
def kim(town: Town) -> Visitor:
    """Kim of operations before two HATs and a CAP of RMA1, and a HAT of RMA2."""
    town.sells_and_takes_back(
        a_return(1, a_line("HAT", 2, 2000, line_item_id="71"), a_line("CAP", line_item_id="72"), **OPEN),
        a_return(2, **OPEN),
    )
    town.swap.raw["R1"] = {"products": PRODUCTS}
    town.sync()
    return Visitor(town, Member("Kim", frozenset({"operations"})))


def finding(**changes: Any) -> dict[str, Any]:
    return {
        "inspection_id": "bench-1", "rma": "RMA1", "sku": "HAT", "line_item_id": "71", "condition": "Sellable",
        "quantity": 1, "inspected_at": "2026-03-10T11:05:00Z", **changes,
    }  # fmt: skip


def send(visitor: Visitor, **changes: Any) -> Response:
    return visitor.say("/bench/inspections", json.dumps(finding(**changes)))


def shown(visitor: Visitor, word: str) -> list[dict[str, Any]]:
    answer = visitor.get("/bench/returns", word=word)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["returns"])


@pytest.mark.parametrize("word", ["RMA1", "rma1", " RMA1 ", "#LX1", "lx1"])
def test_a_label_shows_the_lines_by_name_with_what_still_waits(kim: Visitor, word: str) -> None:
    (parcel,) = shown(kim, word)
    assert (parcel["rma"], parcel["order"], parcel["status"]) == ("RMA1", "#LX1", "Open")
    told = [(line["name"], line["sku"], line["quantity"], line["waiting"], line["found"]) for line in parcel["lines"]]
    assert sorted(told) == [("CAP", "CAP", 1, 1, []), ("Wool hat – Navy / M", "HAT", 2, 2, [])]


def test_a_label_that_nobody_knows_is_told(kim: Visitor) -> None:
    for word in ("RMA9", "", "x" * 101, "' OR 1=1 --", "\0"):
        answer = kim.get("/bench/returns", word=word)
        assert answer.status_code == 404
        assert "Swap shows no return" in answer.json()["detail"]


def test_a_finding_is_kept_once_under_the_name_of_whoever_signed_in(kim: Visitor, town: Town) -> None:
    assert send(kim, inspected_by="Eve").json() == {"is_repeated": False}
    assert send(kim).json() == {"is_repeated": True}
    assert town.ask(FOUND) == [("bench-1", "Sellable", 1, "Kim", "bench")]
    town.sync()
    line = next(one for one in shown(kim, "RMA1")[0]["lines"] if one["sku"] == "HAT")
    assert (line["waiting"], [(one["condition"], one["quantity"], one["by"]) for one in line["found"]]) == (
        1, [("Sellable", 1, "Kim")],
    )  # fmt: skip
    assert line["found"][0]["when"] == "11:05 on 10 March 2026"
    assert town.one("SELECT sellable_quantity FROM recon.matched_lines WHERE return_id = 'R1' AND sku = 'HAT'") == 1


def test_a_mistake_is_replaced_once_and_both_stay_on_record(kim: Visitor, town: Town) -> None:
    send(kim)
    again = {"inspection_id": "bench-2", "condition": "Damaged", "corrects": "bench-1", "reason": "torn seam"}
    assert send(kim, **again).json() == {"is_repeated": False}
    assert send(kim, **again).json() == {"is_repeated": True}
    other = send(kim, **{**again, "inspection_id": "bench-3"})
    assert (other.status_code, other.json()["detail"]) == (409, "bench-1 was corrected before: load the return again")
    town.sync()
    line = next(one for one in shown(kim, "RMA1")[0]["lines"] if one["sku"] == "HAT")
    assert [(one["id"], one["condition"]) for one in line["found"]] == [("bench-2", "Damaged")]
    assert town.one("SELECT count(*) FROM recon.inspections") == 2
    assert town.ask("SELECT who, document, reason FROM recon.audit_log WHERE what = 'corrected'") == [
        ("Kim", "inspection bench-1", "torn seam")
    ]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"quantity": 0}, 400, "quantity: Input should be greater than or equal to 1"),
        ({"quantity": "1"}, 400, "quantity"),
        ({"sku": "", "line_item_id": ""}, 400, "sku or line_item_id is required"),
        ({"inspected_at": "yesterday"}, 400, "inspected_at"),
        ({"more": 1}, 400, "more"),
        (
            {"inspection_id": "bench-2", "corrects": "bench-9", "reason": "x"},
            409,
            "there is no finding bench-9 of RMA1",
        ),
        ({"inspection_id": "bench-2", "corrects": "bench-1"}, 409, "say what was wrong"),
        ({"quantity": 2}, 409, "bench-1 was used for another finding"),
    ],
)
def test_what_cannot_be_kept_is_told_and_changes_nothing(
    kim: Visitor, town: Town, changes: dict[str, Any], status: int, words: str
) -> None:
    send(kim)
    before = town.ask("SELECT * FROM recon.inspections")
    answer = send(kim, **changes)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert town.ask("SELECT * FROM recon.inspections") == before


@pytest.mark.parametrize("body", ["", "[]", "{", '{"a": 1e9999}', "null", "[" * 5_000])
def test_what_is_no_finding_is_refused_in_words(kim: Visitor, body: str) -> None:
    answer = kim.say("/bench/inspections", body)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_body_beyond_a_megabyte_is_refused(kim: Visitor) -> None:
    assert kim.say("/bench/inspections", "x" * 1_000_001).status_code == 413


@pytest.mark.parametrize("role", get_args(Role))
def test_the_bench_is_for_operations(kim: Visitor, town: Town, role: Role) -> None:
    visitor = kim.of("Vi", role)
    status = 200 if role == "operations" else 403
    assert {visitor.get(path).status_code for path in ("/bench", "/bench/returns?word=RMA1")} == {status}
    assert send(visitor).status_code == status
    assert ('href="/bench"' in visitor.get("/").text) == (role == "operations")
    assert len(town.ask(FOUND)) == (role == "operations")


def test_the_page_brings_no_script_of_its_own_and_the_file_is_ours(kim: Visitor) -> None:
    page = kim.get("/bench")
    assert page.text.count("<script") == 1
    assert '<script src="/bench.js"></script>' in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    file = kim.get("/bench.js")
    assert file.headers["content-type"].startswith("text/javascript")
    assert "innerHTML" not in file.text


def test_goods_that_are_on_no_line_stand_beside_it(kim: Visitor) -> None:
    send(kim, sku="TIE", line_item_id="")
    assert [one["sku"] for one in shown(kim, "RMA1")[0]["beside"]] == ["TIE"]
