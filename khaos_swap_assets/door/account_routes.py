"""Signing in by an account of Microsoft or Google: away to the provider, and back.

Belongs here: both addresses, and the cookie that binds the way back to the browser that left. Stays out: what is
believed (``door.accounts``).
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from khaos_swap_assets.door import accounts, showing
from khaos_swap_assets.door.accounts import AccountError, Provider
from khaos_swap_assets.door.gate import SIGN_IN
from khaos_swap_assets.door.keeping import Admission, Doorkeeper
from khaos_swap_assets.door.keys import Cookies, new_key
from khaos_swap_assets.door.signing_in import address_of_sender, admitted, own_path

LOG = logging.getLogger("khaos_swap.door")
TITLE = "You are not signed in"
FAILED = "Signing in by your account did not work. Go to the start and try again; the log says why."
LONGEST_CODE, MOST_TOLD = 4_000, 100


def account_routes(keeper: Doorkeeper, cookies: Cookies, public_url: str) -> Sequence[BaseRoute]:
    """The way to each provider and the way back."""
    return [route for one in keeper.providers for route in _routes_of(one, keeper, cookies, public_url)]


def _routes_of(provider: Provider, keeper: Doorkeeper, cookies: Cookies, public_url: str) -> Sequence[BaseRoute]:
    path = f"{SIGN_IN}/account/{provider.name}"

    def back(request: Request) -> str:
        base = public_url.strip().rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"
        return f"{base}{path}/back"

    async def away(request: Request) -> Response:
        secret, wanted = new_key(), own_path(request.query_params.get("next", ""))
        state = _state(secret, provider, wanted)
        try:
            to = await run_in_threadpool(accounts.address_of, provider, back(request), secret, state)
        except AccountError as error:
            return _failed(provider, request, error)
        answer = RedirectResponse(to, 303, showing.HEADERS)
        cookies.hand_out(answer, cookies.account, secret)
        return answer

    async def home(request: Request) -> Response:
        secret, address = cookies.read(request, cookies.account), address_of_sender(request)
        try:
            wanted, code = _checked(request, provider, secret)
            entry = await run_in_threadpool(_entry, keeper, provider, (back(request), secret, code), address)
        except AccountError as error:
            return _failed(provider, request, error)
        answer = await admitted(request, keeper, cookies, entry, wanted)
        cookies.take_back(answer, cookies.account)
        return answer

    return [Route(path, away, methods=["GET"]), Route(f"{path}/back", home, methods=["GET"])]


def _entry(keeper: Doorkeeper, provider: Provider, asked: tuple[str, str, str], address: str) -> Admission:
    """Counted first, like a password: each try asks the provider."""
    if keeper.is_address_too_often(address):
        return Admission(denied="too often")
    claims = accounts.claims_of(provider, *asked)
    return keeper.by_account(*accounts.person_of(provider, claims, keeper.roster), address)


def _state(secret: str, provider: Provider, wanted: str) -> str:
    """Carries where to go, so that a link leads to its page, and proves that we sent it to this provider."""
    return f"{accounts.derived(secret, f'state {provider.name} {wanted}')}.{wanted}"


def _checked(request: Request, provider: Provider, secret: str) -> tuple[str, str]:
    """Where to go and the code. Raises ``AccountError`` for a way back that this browser did not begin."""
    given, code = request.query_params.get("state", ""), request.query_params.get("code", "")
    wanted = own_path(given.partition(".")[2])
    expected = _state(secret, provider, wanted)
    if not secret or not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise AccountError("the way back does not belong to this browser")
    if not 0 < len(code) <= LONGEST_CODE:
        raise AccountError(f"no code came back: {request.query_params.get('error', '')[:MOST_TOLD]!a}")
    return wanted, code


def _failed(provider: Provider, request: Request, error: AccountError) -> Response:
    LOG.warning("refused sign-in by %s from %s: %s", provider.title, address_of_sender(request), error)
    return showing.message(401, TITLE, FAILED, request.url.path)
