"""The page's own interface: what is told of a file, the audit, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from khaos_swap_assets.audit_page import app as page
from khaos_swap_assets.audit_page.desk import Desk
from khaos_swap_assets.ui.guard import Guard
from khaos_swap_assets_tests.audit.files import small_shop
from khaos_swap_assets_tests.running import serving

KINDS = ("returns", "stock-codes", "sales-orders", "credit-notes")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "desk").mkdir()
    return Desk(tmp_path / "desk")


@pytest.fixture
def client(desk: Desk) -> Iterator[httpx.Client]:
    with (
        serving(Guard(page.make_app(desk, "key"))) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}/key/", timeout=60) as client,
    ):
        yield client


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    paths = small_shop().write(tmp_path / "in")
    return {kind: Path(getattr(paths, kind.replace("-", "_"))) for kind in KINDS}


def drop(client: httpx.Client, kind: str, path: Path, name: str = "") -> dict[str, Any]:
    answer = client.put(f"files/{kind}", params={"name": name or path.name}, content=path.read_bytes())
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_files_are_told_audited_and_reported(client: httpx.Client, given: dict[str, Path]) -> None:
    told = {kind: drop(client, kind, path) for kind, path in given.items()}
    assert told["credit-notes"]["figures"].startswith("7 documents, 2026-03-03 to 2026-03-03, in all ")
    assert all(one["is_whole"] and not one["faults"] for one in told.values())
    done = client.post("audit", json={"as_of": "2026-03-31"}).json()
    assert done["headlines"][0] == "£82.48 in 4 returns and Credit Notes"
    assert {"report.html", "report.xlsx", "exceptions.csv"} <= set(done["reports"])
    report = client.get("report/report.html")
    assert "What was not compared" in report.text
    assert "sandbox" in report.headers["content-security-policy"]
    assert client.get("report/exceptions.csv").headers["content-disposition"].startswith("attachment")


def test_a_heading_is_asked_about_and_said(client: httpx.Client, given: dict[str, Path], tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(
        given["credit-notes"].read_text(encoding="utf-8").replace("gross,", "Money back,", 1), encoding="utf-8"
    )
    told = drop(client, "credit-notes", own)
    assert not told["is_whole"]
    assert [one["column"] for one in told["missing"] if one["needed"]] == ["gross"]
    assert "Money back" in told["headings"]
    assert told["faults"] == []
    again = client.put("files/credit-notes/headings", json={"Money back": "gross"}).json()
    assert (again["is_whole"], again["read"], again["mapped"]) == (True, 7, {"Money back": "gross"})


def test_a_total_that_does_not_hold_stops_the_audit(client: httpx.Client, given: dict[str, Path]) -> None:
    for kind, path in given.items():
        drop(client, kind, path)
    done = client.post("audit", json={"totals": {"sales-orders": "1.00"}}).json()
    assert "has sums of several currencies" in done["faults"][0]
    wrong = client.post("audit", json={"totals": {"sales-orders": "much"}}).json()
    assert wrong["faults"][0].startswith("The total of sales-orders: 'much' ")
    other = client.post("audit", json={"totals": {"invoices": "1.00"}}).json()
    assert "names no file" in other["faults"][0]
    assert client.get("report/report.html").status_code == 404


def test_bad_rows_are_told_by_kind_and_may_be_left_out(
    client: httpx.Client, given: dict[str, Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(given["stock-codes"].read_text(encoding="utf-8") + "HAT\x07,,,,,,\n", encoding="utf-8")
    for kind, path in {**given, "stock-codes": bad}.items():
        told = drop(client, kind, path)
        assert len(told["faults"]) == (kind == "stock-codes")
    assert "control character" in client.post("audit", json={}).json()["faults"][0]
    assert "rejected.csv" in client.post("audit", json={"skips_bad_rows": True}).json()["reports"]


def test_an_audit_waits_for_all_of_its_files(client: httpx.Client, given: dict[str, Path]) -> None:
    drop(client, "returns", given["returns"])
    assert client.post("audit", json={}).json()["faults"] == [
        "A file is missing or cannot be read yet: look at the cards above"
    ]


def test_a_file_of_the_same_kind_takes_the_place_of_the_one_before(
    client: httpx.Client, desk: Desk, given: dict[str, Path]
) -> None:
    drop(client, "returns", given["returns"])
    drop(client, "returns", given["returns"], "second.jsonl")
    assert [one.name for one in (desk.folder / "returns").iterdir()] == ["second.jsonl"]
    assert client.delete("files/returns").status_code == 200
    assert list((desk.folder / "returns").iterdir()) == []


@pytest.mark.parametrize("name", ["../../evil.csv", "..\\..\\evil.csv", "/etc/evil.csv", "evil.csv"])
def test_no_name_leads_out_of_the_folder(client: httpx.Client, desk: Desk, given: dict[str, Path], name: str) -> None:
    assert drop(client, "stock-codes", given["stock-codes"], name)["file"] == "evil.csv"
    assert (desk.folder / "stock-codes/evil.csv").is_file()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "files/returns?name=..", 422),
        ("PUT", "files/secrets?name=a.csv", 404),
        ("PUT", "files/returns/headings", 409),
        ("GET", "report/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "report/report.html", 404),
        ("GET", "http://127.0.0.1/other/", 404),
        ("GET", "http://127.0.0.1/", 404),
        ("GET", "http://127.0.0.1/docs", 404),
        ("GET", "http://127.0.0.1/openapi.json", 404),
    ],
)
def test_nothing_else_is_answered(client: httpx.Client, method: str, path: str, status: int) -> None:
    address = path.replace("http://127.0.0.1", f"http://127.0.0.1:{client.base_url.port}")
    assert client.request(method, address, json={} if "headings" in path else None).status_code == status


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_a_page_of_somebody_else_reaches_nothing(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("", headers=headers).status_code == 403
    assert client.post("audit", json={}, headers=headers).status_code == 403


def test_a_file_that_is_too_large_leaves_nothing(
    client: httpx.Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "MOST_BYTES", 10)
    answer = client.put("files/returns", params={"name": "a.jsonl"}, content=b"x" * 11)
    assert answer.status_code == 413
    assert list((desk.folder / "returns").iterdir()) == []
