"""Inspections: told once, whoever repeats them, and in line for matching."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from khaos_swap_assets_tests.gateway.conftest import TOKEN, Gateway, OpenGateway, Rows, configure

BEARER = {"authorization": f"Bearer {TOKEN}"}
KEPT = "SELECT inspection_id, rma, sku, line_item_id, condition, quantity, inspected_by FROM recon.inspections"
IN_LINE = "SELECT stage, return_id FROM recon.worklist ORDER BY 1, 2"


def finding(**changes: Any) -> dict[str, Any]:
    whole = {
        "inspection_id": "INS-1",
        "rma": "RMA1001",
        "sku": "MER-CRW-NVY-M",
        "line_item_id": "142",
        "condition": "Sellable",
        "quantity": 1,
        "inspected_at": "2026-03-09T10:05:00+00:00",
        "inspected_by": "bench-1",
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def add_return(conn: psycopg.Connection[Any], return_id: str, rma: str) -> None:
    conn.execute(
        "INSERT INTO swap.returns (return_id, store_id, rma, order_name, order_id, status, delivery_status, "
        "quality_control_status, outcomes, currency, refund_pence, store_credit_pence, additional_payment_pence, "
        "handling_fee_pence, total_pence, is_open, content_hash, raw, first_seen_at, changed_at, read_at) "
        "VALUES (%s, 'st', %s, '', '', '', '', '', '{}', 'GBP', 0, 0, 0, 0, 0, true, '', '{}', now(), now(), now())",
        (return_id, rma),
    )
    conn.commit()


def test_a_finding_is_kept_and_every_return_of_its_rma_is_put_in_line(
    gateway: Gateway, rows: Rows, database: psycopg.Connection[Any]
) -> None:
    for return_id, rma in (("ret_1", "RMA1001"), ("ret_2", "RMA1001"), ("ret_3", "RMA1002")):
        add_return(database, return_id, rma)
    answer = gateway.post("/inspections", json=finding(), headers=BEARER)
    assert (answer.status_code, answer.json()) == (200, {"accepted": True, "is_repeated": False})
    assert rows(KEPT) == [("INS-1", "RMA1001", "MER-CRW-NVY-M", "142", "Sellable", 1, "bench-1")]
    assert rows(IN_LINE) == [("match", "ret_1"), ("match", "ret_2")]


def test_a_finding_of_an_unknown_return_is_kept_for_later(gateway: Gateway, rows: Rows) -> None:
    assert gateway.post("/inspections", json=finding(), headers=BEARER).status_code == 200
    assert len(rows(KEPT)) == 1
    assert rows(IN_LINE) == []


@pytest.mark.parametrize("again", [{}, {"inspected_at": "2026-03-09T12:05:00+02:00"}, {"sku": " MER-CRW-NVY-M "}])
def test_the_same_finding_again_changes_nothing(
    gateway: Gateway, rows: Rows, database: psycopg.Connection[Any], again: dict[str, Any]
) -> None:
    gateway.post("/inspections", json=finding(), headers=BEARER)
    add_return(database, "ret_1", "RMA1001")
    answer = gateway.post("/inspections", json=finding(**again), headers=BEARER)
    assert (answer.status_code, answer.json()) == (200, {"accepted": True, "is_repeated": True})
    assert len(rows(KEPT)) == 1
    assert rows(IN_LINE) == []


@pytest.mark.parametrize(
    "other", [{"quantity": 2}, {"condition": "Damaged"}, {"rma": "RMA1002"}, {"inspected_at": "2026-03-09T10:05:01Z"}]
)
def test_another_finding_under_the_same_id_is_refused(gateway: Gateway, rows: Rows, other: dict[str, Any]) -> None:
    gateway.post("/inspections", json=finding(), headers=BEARER)
    before = rows(KEPT)
    assert gateway.post("/inspections", json=finding(**other), headers=BEARER).status_code == 409
    assert rows(KEPT) == before


@pytest.mark.parametrize("changes", [{"sku": ...}, {"line_item_id": ...}, {"condition": "Singed"}])
def test_what_may_be_left_out_or_be_new(gateway: Gateway, changes: dict[str, Any]) -> None:
    assert gateway.post("/inspections", json=finding(**changes), headers=BEARER).status_code == 200


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"inspection_id": ""}, "inspection_id"),
        ({"inspection_id": ...}, "inspection_id"),
        ({"inspection_id": 7}, "inspection_id"),
        ({"rma": "  "}, "rma"),
        ({"rma": "x" * 201}, "rma"),
        ({"rma": "a\x00b"}, "rma"),
        ({"sku": "\ud800"}, "sku"),
        ({"sku": "", "line_item_id": ""}, "sku or line_item_id is required"),
        ({"condition": None}, "condition"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": "1"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": 10**30}, "quantity"),
        ({"inspected_at": "2026-03-09T10:05:00"}, "inspected_at"),
        ({"inspected_at": "yesterday"}, "inspected_at"),
        ({"inspected_at": "0001-01-01T00:00:00+10:00"}, "inspected_at"),
        ({"inspected_by": ""}, "inspected_by"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_used_is_named(gateway: Gateway, rows: Rows, changes: dict[str, Any], told: str) -> None:
    answer = gateway.post("/inspections", content=json.dumps(finding(**changes)).encode(), headers=BEARER)
    assert answer.status_code == 400, answer.text
    assert told in answer.text
    assert rows(KEPT) == []


def test_all_faults_are_told_at_once_without_values(gateway: Gateway) -> None:
    answer = gateway.post("/inspections", json={"rma": 55501, "quantity": 66602}, headers=BEARER)
    assert len(answer.json()["detail"]) >= 5
    assert "55501" not in answer.text
    assert "66602" not in answer.text


def test_what_a_warehouse_sent_in_vain_is_counted_with_its_beginning(gateway: Gateway, rows: Rows) -> None:
    for body in (b'{"rma": "RMA1001", "by": "p.n@example.com"}', b"{", b"{"):
        assert gateway.post("/inspections", content=body, headers=BEARER).status_code == 400
    assert gateway.post("/inspections", content=b"{").status_code == 401
    counted = "SELECT reason, size_bytes, times, convert_from(head, 'UTF8') FROM recon.refused_messages ORDER BY 2"
    reason = "an inspection of the warehouse cannot be read"
    assert rows(counted) == [(reason, 1, 2, "{"), (reason, 43, 1, '{"rma": "RMA1001", "by": "***"}')]
    assert rows(KEPT) == []


@pytest.mark.parametrize(
    "header",
    ["", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \u00ff"],
)
def test_only_the_token_opens(gateway: Gateway, rows: Rows, header: str) -> None:
    answer = gateway.post("/inspections", json=finding(), headers=[(b"authorization", header.encode("latin-1"))])
    assert answer.status_code == 401
    assert TOKEN not in answer.text
    assert rows(KEPT) == []


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", ""])
def test_without_a_token_set_nobody_gets_in(open_gateway: OpenGateway, header: str) -> None:
    gateway = open_gateway(settings=configure(inspection_token=""))
    assert gateway.post("/inspections", json=finding(), headers={"authorization": header}).status_code == 401


def test_a_body_beyond_a_megabyte_is_refused(gateway: Gateway) -> None:
    assert gateway.post("/inspections", json=finding(sku="x" * 1_100_000), headers=BEARER).status_code == 413


@pytest.mark.parametrize(("quantity", "code"), [("2.0", 200), ("2e0", 200), ("2.5", 400), ("1e99", 400), ("NaN", 400)])
def test_two_point_nought_is_two(gateway: Gateway, rows: Rows, quantity: str, code: int) -> None:
    body = json.dumps(finding(quantity=-77)).replace("-77", quantity)
    assert gateway.post("/inspections", content=body, headers=BEARER).status_code == code
    assert rows("SELECT quantity FROM recon.inspections") == ([(2,)] if code == 200 else [])


def test_a_finding_takes_the_place_of_one_that_was_wrong(gateway: Gateway, rows: Rows) -> None:
    gateway.post("/inspections", json=finding(), headers=BEARER)
    better = finding(inspection_id="INS-2", condition="Damaged", corrects="INS-1")
    for _ in range(2):
        assert gateway.post("/inspections", json=better, headers=BEARER).status_code == 200
    assert rows("SELECT inspection_id, corrects FROM recon.inspections ORDER BY 1") == [
        ("INS-1", ""),
        ("INS-2", "INS-1"),
    ]
    for wrong in ({"corrects": "INS-9"}, {"corrects": "INS-1"}, {"corrects": "INS-2", "rma": "RMA1002"}):
        answer = gateway.post("/inspections", json=finding(inspection_id="INS-3", **wrong), headers=BEARER)
        assert answer.status_code == 409
    assert len(rows(KEPT)) == 2
