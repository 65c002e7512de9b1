"""Signing in and out: who comes in, how long it holds, and what a stranger learns."""

from __future__ import annotations

import logging

import httpx
import pytest

from khaos_swap_assets.door.keeping import MOST_OF_A_NAME, MOST_OF_AN_ADDRESS
from khaos_swap_assets.door.signing_in import own_path
from khaos_swap_assets_tests.door.place import PASSWORD, ROLES, Place, name_of, sign_in, token, try_password
from khaos_swap_assets_tests.lending import lend

FINANCE = name_of("finance")
SESSION = "khaos-swap-session"


def is_in(browser: httpx.Client) -> bool:
    answer = browser.get("/")
    assert answer.status_code in (200, 303)
    return answer.status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_each_member_signs_in_and_is_told_who_it_is(place: Place, role: str) -> None:
    found = next(one for one in ROLES if one == role)
    page = sign_in(place, found).get("/")
    assert page.status_code == 200
    assert f"Signed in as <strong>{name_of(found)}</strong>" in page.text


def test_a_stranger_is_sent_to_the_sign_in_page_and_comes_back(place: Place) -> None:
    browser = place.browser()
    away = browser.get("/dagster/runs?q=%22a%22&x=1")
    assert (away.status_code, away.headers["location"].split("?")[0]) == (303, "/sign-in")
    page = browser.get(away.headers["location"])
    assert 'value="/dagster/runs?q=%22a%22&amp;x=1"' in page.text
    done = try_password(browser, FINANCE.upper(), PASSWORD, next="/dagster/runs?q=%22a%22&x=1")
    assert (done.status_code, done.headers["location"]) == (303, "/dagster/runs?q=%22a%22&x=1")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (FINANCE, "wrong horse battery"),
        (FINANCE, ""),
        ("Nobody", PASSWORD),
        ("", ""),
        ("' OR 1=1 --", "x"),
        ("\x00", "\x00"),
        (FINANCE, f"{PASSWORD} "),
        ("K" * 5000, "p" * 5000),
    ],
)
def test_every_refusal_looks_alike_and_gives_no_key(place: Place, name: str, password: str) -> None:
    browser = place.browser()
    answer = try_password(browser, name, password)
    assert answer.status_code == 401
    assert "Name or password is wrong." in answer.text
    assert SESSION not in browser.cookies
    assert not is_in(browser)


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/dagster/runs", "/dagster/runs"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("https://evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\nb", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/é", "/"),
        ("", "/"),
        ("/" * 2, "/"),
        ("/" + "a" * 3000, "/"),
        ("/a?next=https://evil.test", "/a?next=https://evil.test"),
    ],
)
def test_nobody_is_led_elsewhere(place: Place, wanted: str, led_to: str) -> None:
    assert own_path(wanted) == led_to
    browser = place.browser()
    assert try_password(browser, FINANCE, PASSWORD, next=wanted).headers["location"] == led_to
    assert browser.get("/sign-in", params={"next": wanted}).headers["location"] == led_to


def test_a_key_known_before_signing_in_opens_nothing_after(place: Place) -> None:
    browser = place.browser()
    planted = "a" * 43
    browser.cookies.set(SESSION, planted, domain="127.0.0.1")
    assert try_password(browser, FINANCE, PASSWORD).status_code == 303
    keys = [cookie.value for cookie in browser.cookies.jar if cookie.name == SESSION]
    assert planted not in keys or len(keys) == 2
    thief = place.browser()
    thief.cookies.set(SESSION, planted)
    assert not is_in(thief)


def test_signing_in_again_ends_the_session_before(place: Place) -> None:
    browser = sign_in(place, "finance")
    old = browser.cookies[SESSION]
    form = {"name": FINANCE, "password": PASSWORD, "csrf": token(browser.get("/"))}
    assert browser.post("/sign-in", data=form).status_code == 303
    assert browser.cookies[SESSION] != old
    thief = place.browser()
    thief.cookies.set(SESSION, old)
    assert not is_in(thief)


def test_cookies_are_out_of_reach(place: Place) -> None:
    browser = place.browser()
    (visit,) = browser.get("/sign-in").headers.get_list("set-cookie")
    assert visit.startswith("khaos-swap-visit=")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(visit.split("; "))
    done = try_password(browser, FINANCE, PASSWORD)
    session = next(one for one in done.headers.get_list("set-cookie") if one.startswith(SESSION))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(session.split("; "))
    assert "Domain" not in session
    assert "Max-Age" not in session


def test_only_the_hash_of_a_key_is_stored(place: Place, database_url: str) -> None:
    key = sign_in(place, "finance").cookies[SESSION]
    with lend(database_url) as conn:
        rows = conn.execute("SELECT * FROM recon.door_sessions").fetchall()
        tries = conn.execute("SELECT * FROM recon.door_attempts").fetchall()
    assert len(rows) == 1
    assert key not in repr(rows)
    assert "Kim" not in repr(tries)
    assert "127.0.0.1" not in repr(tries)


def test_signing_out_ends_this_browser_only(place: Place) -> None:
    one, two = sign_in(place, "finance"), sign_in(place, "finance")
    key = one.cookies[SESSION]
    done = one.post("/sign-out", data={"csrf": token(one.get("/"))})
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in")
    assert "cache" in done.headers["clear-site-data"]
    assert SESSION not in one.cookies
    one.cookies.set(SESSION, key)
    assert [is_in(one), is_in(two)] == [False, True]


def test_signing_out_everywhere_ends_every_browser_of_the_member_and_no_other(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    mine, other = [sign_in(place, "finance") for _ in range(3)], sign_in(place, "cx")
    mine[0].post("/sign-out/everywhere", data={"csrf": token(mine[0].get("/"))})
    assert [is_in(one) for one in (*mine, other)] == [False, False, False, True]
    assert f"signed out everywhere: {FINANCE}, sessions: 3" in caplog.text


def test_a_session_ends_when_nobody_comes(place: Place) -> None:
    browser = sign_in(place, "finance")
    for _ in range(3):
        place.clock.pass_by(minutes=119)
        assert is_in(browser)
    place.clock.pass_by(minutes=120)
    assert not is_in(browser)


def test_a_session_ends_however_busy(place: Place) -> None:
    browser = sign_in(place, "finance")
    for _ in range(11):
        place.clock.pass_by(hours=1)
        assert is_in(browser)
    place.clock.pass_by(hours=1)
    assert not is_in(browser)


def test_a_name_is_tried_a_few_times_only_and_a_restart_forgives_nothing(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(MOST_OF_A_NAME):
        assert try_password(place.browser(), FINANCE, "wrong").status_code == 401
    told = try_password(place.browser(), FINANCE.lower(), PASSWORD)
    assert (told.status_code, "Too many attempts" in told.text) == (429, True)
    assert try_password(place.browser(), name_of("cx"), PASSWORD).status_code == 303
    place.clock.pass_by(minutes=15)
    assert try_password(place.browser(), FINANCE, PASSWORD).status_code == 303
    assert f"refused sign-in of {FINANCE} from 127.0.0.1: too many attempts" in caplog.text


def test_an_unknown_name_is_limited_like_a_known_one(place: Place) -> None:
    told = [try_password(place.browser(), "Nobody", "wrong").status_code for _ in range(MOST_OF_A_NAME + 1)]
    assert told == [401] * MOST_OF_A_NAME + [429]


def test_an_address_is_limited_over_all_names(place: Place, database_url: str) -> None:
    with lend(database_url) as conn:
        conn.execute(
            "INSERT INTO recon.door_attempts VALUES (sha256('address 127.0.0.1'), %s, %s)",
            (MOST_OF_AN_ADDRESS, place.clock()),
        )
        conn.commit()
    assert try_password(place.browser(), FINANCE, PASSWORD).status_code == 429


def test_success_forgives_the_slips_before(place: Place) -> None:
    for _ in range(3):
        for _ in range(MOST_OF_A_NAME - 1):
            assert try_password(place.browser(), FINANCE, "wrong").status_code == 401
        sign_in(place, "finance")


def test_what_is_typed_reaches_no_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    typed = "my-password-in-the-wrong-field"
    try_password(place.browser(), typed, "another-secret-of-mine")
    browser = sign_in(place, "finance")
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "refused sign-in of an unknown name from 127.0.0.1: name or password is wrong" in said
    assert f"signed in: {FINANCE} from 127.0.0.1" in said
    for secret in (typed, "another-secret-of-mine", PASSWORD, browser.cookies[SESSION]):
        assert secret not in said


def test_every_sign_in_stands_in_the_audit_log(place: Place, database_url: str) -> None:
    sign_in(place, "finance")
    with lend(database_url) as conn:
        rows = conn.execute("SELECT who, what, document FROM recon.audit_log").fetchall()
    assert rows == [(FINANCE, "signed in", "door")]


def test_one_click_is_the_demos_alone(place: Place) -> None:
    browser = place.browser()
    page = browser.get("/sign-in")
    assert "demo" not in page.text
    answer = browser.post("/sign-in/demo", data={"name": FINANCE, "csrf": token(page)})
    assert answer.status_code == 404
    assert not is_in(browser)


@pytest.mark.parametrize("role", ROLES)
def test_in_the_demo_one_click_is_enough(demo: Place, role: str) -> None:
    name = name_of(next(one for one in ROLES if one == role))
    browser = demo.browser()
    page = browser.get("/sign-in")
    assert f'value="{name}"' in page.text
    assert browser.post("/sign-in/demo", data={"name": name, "csrf": token(page)}).status_code == 303
    assert is_in(browser)


def test_in_the_demo_too_a_stranger_is_nobody(demo: Place) -> None:
    browser = demo.browser()
    form = {"name": "Nobody", "csrf": token(browser.get("/sign-in"))}
    assert browser.post("/sign-in/demo", data=form).status_code == 401
    assert not is_in(browser)
