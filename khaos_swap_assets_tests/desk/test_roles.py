"""Every address beside every role: what a page shows and what a form does."""

from __future__ import annotations

from typing import get_args

import pytest

from khaos_swap_assets.domain.desk.members import Role
from khaos_swap_assets_tests.desk.rows import opens
from khaos_swap_assets_tests.desk.visiting import Visitor
from khaos_swap_assets_tests.stages.town import Town

ROLES: tuple[Role, ...] = get_args(Role)
WORKERS = {"cx", "operations", "data_management", "finance", "finance_approver", "engineer"}
FINANCE = {"finance", "finance_approver"}
PAGES: dict[str, set[str]] = {
    "/": set(ROLES),
    "/queues/all": set(ROLES),
    "/search?q=S1": set(ROLES),
    "/exceptions/1": set(ROLES),
    "/waiting": set(ROLES),
    "/coming": set(ROLES),
    "/acts/note?id=1": WORKERS,
    "/acts/assign?id=1": WORKERS,
    "/acts/snooze?id=1": WORKERS,
    "/acts/waive?id=1": FINANCE,
    "/decisions/1/grant": {"finance_approver"},
    "/decisions/1/take-back": FINANCE,
}
FORMS: dict[str, set[str]] = {
    "/acts/note": WORKERS,
    "/acts/assign": WORKERS,
    "/acts/snooze": WORKERS,
    "/acts/waive": FINANCE,
    "/decisions/1/grant": {"finance_approver"},
    "/decisions/1/take-back": FINANCE,
}


@pytest.fixture
def asked(ann: Visitor, town: Town) -> Visitor:
    """An exception for whose waiver Ann has asked."""
    number = opens(town, "value_gap", "S1", 6_000)
    ann.post("/acts/waive", [("id", number), ("seen", f"{number}:6000"), ("reason", "x")])
    return ann


@pytest.mark.parametrize("role", ROLES)
def test_a_page_is_shown_to_those_who_may(asked: Visitor, role: Role) -> None:
    visitor = asked.of("Vi", role)
    shown = {path: visitor.get(path).status_code for path in PAGES}
    assert shown == {path: 200 if role in may else 403 for path, may in PAGES.items()}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", FORMS)
def test_a_form_is_taken_from_those_who_may(asked: Visitor, town: Town, role: Role, path: str) -> None:
    before = town.ask("SELECT * FROM recon.decisions ORDER BY 1")
    fields = [("id", "1"), ("seen", "1:6000"), ("reason", "y"), ("told", "Vi"), ("until", "2026-03-20")]
    answer = asked.of("Vi", role).post(path, fields)
    assert answer.status_code == (303 if role in FORMS[path] else 403)
    assert (town.ask("SELECT * FROM recon.decisions ORDER BY 1") == before) == (role not in FORMS[path])


@pytest.mark.parametrize("role", ROLES)
def test_a_case_offers_only_what_a_member_may(asked: Visitor, role: Role) -> None:
    page = asked.of("Vi", role).get("/exceptions/1").text
    assert ("/acts/note" in page) == (role in WORKERS)
    assert ("/acts/waive" in page) == (role in FINANCE)
    assert ("take-back" in page) == (role in FINANCE)
