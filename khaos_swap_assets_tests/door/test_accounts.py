"""Signing in by an account: a provider on this machine that signs what it is told to, and all that must not fit."""

from __future__ import annotations

import base64
import hashlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from khaos_swap_assets.adapters.members import MemberRow, Roster
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_door import DoorSettings
from khaos_swap_assets.door.forms import fields
from khaos_swap_assets_tests.door.place import Behind, Place, open_door, sign_in
from khaos_swap_assets_tests.running import serving

CLIENT, SECRET = "khaos-swap", "secret-of-the-client"
OURS, OTHERS = (rsa.generate_private_key(65537, 2048) for _ in range(2))
ROSTER = Roster(
    {"ann@shop.example": MemberRow(name="ann@shop.example", roles=frozenset({"finance"}))},
    {"g-7": frozenset({"operations"}), "@shop.example": frozenset({"viewer"}), "bo@shop.example": frozenset({"cx"})},
)
ANN = {"sub": "1", "email": "Ann@shop.example", "email_verified": True}


@dataclass
class Provider:
    """Keeps one account; what it signs, and with which key, a test may change."""

    claims: dict[str, Any] = field(default_factory=lambda: dict(ANN))
    changed: dict[str, Any] = field(default_factory=dict)
    key: Any = OURS
    algorithm: str = "RS256"
    issuer: str = ""
    nonces: dict[str, str] = field(default_factory=dict)
    challenges: dict[str, str] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    async def metadata(self, _: Request) -> Response:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse({"issuer": self.issuer, **{name: f"{self.issuer}/{at}" for name, at in places.items()}})

    async def authorize(self, request: Request) -> Response:
        asked, code = request.query_params, f"code-{len(self.nonces)}"
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
        self.nonces[code], self.challenges[code] = asked["nonce"], asked["code_challenge"]
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")

    async def token(self, request: Request) -> Response:
        form = fields(await request.body())
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).decode().rstrip("=")
        nonce = self.nonces.pop(form["code"], None)
        if request.headers.get("authorization") != f"Basic {basic}" or challenge != self.challenges.get(form["code"]):
            return JSONResponse({"error": "invalid_client"}, 401)
        if nonce is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        held = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.claims}
        told = {name: value for name, value in {**held, **self.changed}.items() if value is not None}
        signed = jwt.encode(told, self.key, self.algorithm, headers={"kid": "k1"})
        return JSONResponse({"id_token": signed, "access_token": "a", "token_type": "Bearer"})

    async def keys(self, _: Request) -> Response:
        shown = RSAAlgorithm.to_jwk(OURS.public_key(), as_dict=True)
        return JSONResponse({"keys": [{**shown, "kid": "k1", "use": "sig", "alg": "RS256"}]})


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    with serving(found.app()) as port:
        found.issuer = f"http://127.0.0.1:{port}"
        yield found


@pytest.fixture
def place(behind: Behind, database_url: str, provider: Provider) -> Iterator[Place]:
    door = DoorSettings(
        google_issuer=provider.issuer,
        google_client_id=CLIENT,
        google_client_secret=SecretStr(SECRET),
        microsoft_issuer=provider.issuer,
        microsoft_client_id=CLIENT,
        microsoft_client_secret=SecretStr(SECRET),
    )
    with open_door(behind, database_url, settings=Settings(door=door), roster=ROSTER) as place:
        yield place


def go(browser: httpx.Client, name: str = "google", wanted: str = "") -> str:
    """To the provider and to the door of the way back; its address."""
    away = browser.get(f"/sign-in/account/{name}", params={"next": wanted})
    assert away.status_code == 303, away.text
    return httpx.get(away.headers["location"], trust_env=False).headers["location"]


def is_in(browser: httpx.Client) -> str:
    page = browser.get("/")
    return page.text if page.status_code == 200 else ""


def test_an_account_signs_in_under_the_name_and_with_the_roles_of_the_file(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    browser = place.browser()
    page = browser.get("/sign-in?next=/dagster/runs").text
    assert 'href="/sign-in/account/google?next=/dagster/runs"' in page
    done = browser.get(go(browser, wanted="/dagster/runs"))
    assert (done.status_code, done.headers["location"]) == (303, "/dagster/runs")
    assert "Signed in as <strong>Ann@shop.example</strong>: finance" in is_in(browser)
    assert "signed in: Ann@shop.example from 127.0.0.1" in caplog.text
    assert "khaos-swap-account" not in browser.cookies


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"groups": ["G-7", "g-8"]}, "operations"),
        ({"groups": ["g-7"], "hd": "shop.example"}, "operations, viewer"),
        ({"email": "bo@shop.example", "email_verified": True}, "cx"),
        ({"email": "bo@shop.example", "email_verified": True, "hd": "shop.example"}, "cx, viewer"),
        ({"email": "bo@shop.example", "email_verified": False}, ""),
        ({"email": "bo@shop.example", "email_verified": "true"}, ""),
        ({"email": "ann@shop.example"}, ""),
        ({"preferred_username": "ann@shop.example", "name": "Ann@shop.example"}, ""),
        ({"email": "eve@shop.example", "email_verified": True}, ""),
        ({"groups": "g-7"}, ""),
        ({"groups": [["g-7"], {"g": 7}, None]}, ""),
        ({"hd": "evil.example"}, ""),
        ({"hd": ["shop.example"]}, ""),
        ({}, ""),
    ],
)
def test_roles_come_by_what_the_provider_vouches_for(
    place: Place, provider: Provider, claims: dict[str, Any], roles: str
) -> None:
    provider.claims = {"sub": "2", **claims}
    browser = place.browser()
    done = browser.get(go(browser, "microsoft"))
    assert done.status_code == (303 if roles else 403)
    assert (f"</strong>: {roles}." in is_in(browser)) == bool(roles)
    assert ("Your account has no role here" in done.text) == (not roles)


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": None},
        {"azp": "another-client"},
        {"iss": "https://evil.test"},
        {"iss": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"at_hash": "wrong"},
    ],
)
def test_a_token_that_does_not_fit_is_refused(
    place: Place, provider: Provider, changed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    provider.changed = changed
    browser = place.browser()
    assert browser.get(go(browser)).status_code == 401
    assert not is_in(browser)
    assert "refused sign-in by Google from 127.0.0.1: " in caplog.text
    assert "eyJ" not in caplog.text


@pytest.mark.parametrize(("key", "algorithm"), [(OTHERS, "RS256"), ("", "none"), ("k" * 64, "HS256")])
def test_what_the_provider_did_not_sign_is_refused(place: Place, provider: Provider, key: Any, algorithm: str) -> None:
    provider.key, provider.algorithm = key, algorithm
    browser = place.browser()
    assert browser.get(go(browser)).status_code == 401
    assert not is_in(browser)


def test_the_way_back_belongs_to_the_browser_that_left(place: Place) -> None:
    mine, other = place.browser(), place.browser()
    back = go(mine)
    assert other.get(back).status_code == 401
    go(other)
    assert other.get(back).status_code == 401
    assert not is_in(other)
    assert mine.get(back).status_code == 303


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=x", "code=x&state=x", "code=x&state=.", "error=access_denied", "code=&state=%ff"]
)
def test_a_made_up_way_back_is_refused(place: Place, query: str) -> None:
    browser = place.browser()
    go(browser)
    assert browser.get(f"/sign-in/account/google/back?{query}").status_code == 401


def test_a_state_leads_nowhere_else_and_to_no_other_provider(place: Place) -> None:
    browser = place.browser()
    back = go(browser, wanted="/dagster/runs")
    assert browser.get(back.replace("dagster", "dogster")).status_code == 401
    assert browser.get(back.replace("google", "microsoft")).status_code == 401
    there = go(browser, wanted="//evil.test")
    assert parse_qs(urlsplit(there).query)["state"][0].endswith("./")
    assert browser.get(there).headers["location"] == "/"


def test_a_code_counts_once(place: Place) -> None:
    browser, copy = place.browser(), place.browser()
    back = go(browser)
    for cookie in browser.cookies.jar:
        copy.cookies.set(cookie.name, str(cookie.value))
    assert browser.get(back).status_code == 303
    assert copy.get(back).status_code == 401


def test_a_provider_that_says_it_is_another_is_not_asked(place: Place, provider: Provider) -> None:
    provider.issuer = "https://evil.test"
    assert place.browser().get("/sign-in/account/google").status_code == 401


def test_the_cookie_of_the_way_back_comes_along_and_is_out_of_reach(place: Place) -> None:
    answer = place.browser().get("/sign-in/account/google")
    line = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("khaos-swap-account="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(line.split("; "))
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    key = line.split(";")[0].partition("=")[2]
    assert key not in answer.headers["location"]
    assert len({asked["state"][0], asked["nonce"][0], asked["code_challenge"][0]}) == 3


def test_where_no_provider_is_named_there_is_no_way(behind: Behind, database_url: str) -> None:
    with open_door(behind, database_url) as place:
        assert "/sign-in/account" not in place.browser().get("/sign-in").text
        assert place.browser().get("/sign-in/account/google").status_code == 404
        sign_in(place, "finance")
