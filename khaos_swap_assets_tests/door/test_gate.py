"""The gate: every route by every role, forms of our own pages only, and what hostile senders reach."""

from __future__ import annotations

import logging

import httpx
import pytest

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.door.forms import MOST_BYTES
from khaos_swap_assets.door.showing import HEADERS
from khaos_swap_assets_tests.door.place import PASSWORD, ROLES, Behind, Place, name_of, open_door, sign_in, token
from khaos_swap_assets_tests.ui.serving import FORGE, Marks

SESSION, VISIT = "khaos-swap-session", "khaos-swap-visit"
JSON = {"content-type": "application/json", "sec-fetch-site": "same-origin", "accept": "application/json"}
QUERY = {"query": "{ version }"}
ROUTES = [
    ("GET", "/server_info", 200, 200),
    ("GET", "/door.css", 200, 200),
    ("GET", "/sign-in", 200, 303),
    ("GET", "/", 303, 200),
    ("GET", "/nowhere", 303, 404),
    ("GET", "/dagster", 303, 307),
    ("GET", "/dagster/", 303, 200),
    ("GET", "/dagster/runs", 303, 200),
    ("GET", "/dagster/server_info", 303, 200),
    ("GET", "/dagster/graphql", 303, 200),
    ("GET", "/dagster/logs/a/b.err", 303, 404),
    ("GET", "/graphql", 303, 404),
    ("POST", "/sign-in", 403, 403),
    ("POST", "/sign-in/demo", 403, 403),
    ("POST", "/sign-out", 401, 403),
    ("POST", "/sign-out/everywhere", 401, 403),
    ("POST", "/dagster/graphql", 415, 415),
    ("POST", "/dagster" + FORGE, 403, 403),
    ("POST", "/dagster/report_asset_materialization/a", 403, 403),
    ("POST", "/dagster/report_asset_observation/a", 403, 403),
    ("POST", "/", 401, 403),
    ("PUT", "/sign-in", 403, 403),
    ("DELETE", "/", 401, 403),
    ("TRACE", "/", 401, 403),
]


@pytest.mark.parametrize(("method", "path", "stranger", "_"), ROUTES)
def test_what_a_stranger_reaches(place: Place, method: str, path: str, stranger: int, _: int) -> None:
    answer = place.browser().request(method, path)
    assert answer.status_code == stranger
    if stranger == 303:
        assert answer.headers["location"].startswith("/sign-in?next=%2F")


@pytest.mark.parametrize("role", ROLES)
def test_what_a_member_reaches(place: Place, role: str) -> None:
    browser = sign_in(place, next(one for one in ROLES if one == role))
    found = [(method, path, browser.request(method, path).status_code) for method, path, *_ in ROUTES]
    assert found == [(method, path, member) for method, path, _, member in ROUTES]


def test_a_program_is_told_in_a_line(place: Place) -> None:
    answer = place.browser(accept="application/json").post("/dagster/graphql", json=QUERY, headers=JSON)
    assert (answer.status_code, answer.text) == (401, "Sign in first: open /sign-in in a browser.\n")


@pytest.mark.parametrize("given", ["", "x", "0" * 64, "é", "of another"])
@pytest.mark.parametrize("way", ["field", "header"])
def test_a_form_without_its_token_does_nothing(place: Place, given: str, way: str) -> None:
    browser, other = sign_in(place, "finance"), sign_in(place, "cx")
    wrong = token(other.get("/")) if given == "of another" else given
    sent = {"data": {"csrf": wrong}} if way == "field" else {"headers": {"x-csrf-token": wrong.encode()}}
    answer = browser.post("/sign-out", **sent)
    assert (answer.status_code, "This page is too old" in answer.text) == (403, True)
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/json", ""])
def test_a_token_in_another_kind_of_body_does_not_count(place: Place, kind: str) -> None:
    browser = sign_in(place, "finance")
    body = f"csrf={token(browser.get('/'))}"
    assert browser.post("/sign-out", content=body, headers={"content-type": kind}).status_code == 403


def test_the_token_counts_in_a_header_too(place: Place) -> None:
    browser = sign_in(place, "finance")
    assert browser.post("/sign-out", headers={"x-csrf-token": token(browser.get("/"))}).status_code == 303


def test_the_token_of_the_sign_in_page_is_that_of_its_browser(place: Place) -> None:
    mine, other = place.browser(), place.browser()
    form = {"name": name_of("finance"), "password": PASSWORD, "csrf": token(other.get("/sign-in"))}
    assert mine.post("/sign-in", data=form).status_code == 403
    mine.get("/sign-in")
    assert mine.post("/sign-in", data=form).status_code == 403
    assert SESSION not in mine.cookies


def test_the_token_of_before_signing_in_is_worth_nothing_after(place: Place) -> None:
    browser = place.browser()
    old = token(browser.get("/sign-in"))
    form = {"name": name_of("finance"), "password": PASSWORD, "csrf": old}
    assert browser.post("/sign-in", data=form).status_code == 303
    assert browser.post("/sign-out", data={"csrf": old}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"host": "evil.test"}, 403),
        ({"origin": "https://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"x-forwarded-host": "evil.test", "x-forwarded-proto": "https", "x-forwarded-prefix": "//evil.test"}, 200),
        ({"x-original-url": "/server_info", "x-rewrite-url": "/server_info"}, 200),
        ({"x-http-method-override": "POST"}, 200),
        ({"x-forwarded-for": "10.0.0.1"}, 200),
    ],
)
def test_hostile_headers_change_nothing(place: Place, headers: dict[str, str], expected: int) -> None:
    browser = sign_in(place, "viewer")
    answer = browser.get("/", headers=headers)
    assert answer.status_code == expected
    assert "evil.test" not in answer.text + str(answer.headers)
    if expected == 200:
        assert place.browser().get("/", headers=headers).status_code == 303


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "khaos-swap-session",
        "khaos-swap-session=",
        f"khaos-swap-session={'a' * 9000}",
        "khaos-swap-session=é",
        "khaos-swap-session=' OR 1=1",
        f"khaos-swap-session={'a' * 43}; khaos-swap-session={'b' * 43}",
    ],
)
def test_a_made_up_key_is_nobodys(place: Place, cookie: str) -> None:
    answer = place.browser().get("/", headers={b"cookie": cookie.encode()})
    assert answer.status_code == 303


def test_a_form_beyond_a_megabyte_is_refused(place: Place) -> None:
    browser = sign_in(place, "finance")
    form = {"csrf": token(browser.get("/")), "more": "x" * MOST_BYTES}
    assert browser.post("/sign-out", data=form).status_code == 413
    assert browser.get("/").status_code == 200


def test_a_form_of_countless_fields_is_none(place: Place) -> None:
    browser = sign_in(place, "finance")
    body = f"csrf={token(browser.get('/'))}&" + "a=&" * 30_000
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/sign-out", content=body, headers=form).status_code == 403


@pytest.mark.parametrize("path", ["/sign-in", "/", "/nowhere", "/server_info"])
def test_every_page_of_ours_carries_the_headers(place: Place, path: str) -> None:
    answer = sign_in(place, "viewer").get(path) if path != "/sign-in" else place.browser().get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "<script" not in answer.text


def test_behind_tls_keys_travel_over_tls_only(behind: Behind, database_url: str) -> None:
    public = "https://desk.example"
    with open_door(behind, database_url, settings=Settings(webserver_public_url=public)) as place:
        browser = place.browser(host="desk.example", origin=public)
        page = browser.get("/sign-in")
        (visit,) = page.headers.get_list("set-cookie")
        sent = {"cookie": visit.split(";")[0]}
        form = {"name": name_of("finance"), "password": PASSWORD, "csrf": token(page)}
        done = browser.post("/sign-in", data=form, headers=sent)
    assert done.status_code == 303
    for line in (visit, *done.headers.get_list("set-cookie")):
        assert line.startswith("__Host-khaos-swap-")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(line.split("; "))


def test_every_refusal_is_logged_in_one_bounded_line(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    browser = sign_in(place, "finance")
    browser.post("/sign-out", data={"csrf": "secret-of-somebody"})
    place.browser().post("/" + "a%0A" * 500)
    lines = [record.getMessage() for record in caplog.records if record.name == "khaos_swap.door"]
    assert lines[0].startswith("refused 'POST' '/sign-out' of Kim Finance: This page is too old")
    assert lines[1].startswith("refused 'POST' '/a")
    assert "of a stranger: Sign in first" in lines[1]
    assert all(len(line) < 400 and "\n" not in line and "secret-of" not in line for line in lines)


def test_without_a_database_nobody_is_in_and_the_page_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from khaos_swap_assets.adapters.errors import StoreError
    from khaos_swap_assets.adapters.store.pool import Pool

    browser = sign_in(place, "finance")
    with monkeypatch.context() as patch:
        patch.setattr(Pool, "transaction", lambda _: (_ for _ in ()).throw(StoreError("database books is away")))
        page, line = browser.get("/"), browser.get("/", headers={"accept": "application/json"})
        asked = place.browser().get("/sign-in")
    assert [page.status_code, line.status_code, asked.status_code] == [503, 503, 200]
    assert "books" not in page.text + line.text
    assert "database books is away" in caplog.text
    assert browser.get("/").status_code == 200


def asks(browser: httpx.Client, query: str) -> httpx.Response:
    return browser.post("/dagster/graphql", json={"query": query}, headers=JSON)


@pytest.mark.parametrize("role", ROLES)
def test_only_who_may_run_changes_anything_in_dagster(
    place: Place, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    found = next(one for one in ROLES if one == role)
    marks, may_run = Marks(place.instance), found not in ("viewer", "cx")
    answer = asks(sign_in(place, found), marks.delete)
    assert marks.is_touched() == may_run
    assert ("DeletePipelineRunSuccess" if may_run else "Your roles let you look") in answer.text
    said = f"refused Dagster's deletePipelineRun of {name_of(found)}: a role that may run is needed"
    assert (said in caplog.text) == (not may_run)
