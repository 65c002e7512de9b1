"""A door over a real database and Dagster's own app, with a member of each role, served over HTTP.

Belongs here: the place and people who come to it. Stays out: what they try.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import dagster as dg
import httpx
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from starlette.types import ASGIApp

from khaos_swap_assets.adapters.http import public_authorities
from khaos_swap_assets.adapters.members import MemberRow, Roster
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.desk.reach import DeskReach
from khaos_swap_assets.desk.routes import desk_routes
from khaos_swap_assets.domain.desk.members import Role
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.door.app import door_app
from khaos_swap_assets.door.gate import DAGSTER
from khaos_swap_assets.door.opening import _may_run
from khaos_swap_assets.ui.webserver import dagster_app
from khaos_swap_assets_tests import lending
from khaos_swap_assets_tests.read_once import read_once
from khaos_swap_assets_tests.running import serving
from khaos_swap_assets_tests.ui.serving import make_home

ROLES: tuple[Role, ...] = get_args(Role)
PASSWORD = "correct horse battery"
HASH = Argon2id(salt=b"sixteen bytes it", length=32, iterations=1, lanes=1, memory_cost=7168).derive_phc_encoded(
    PASSWORD.encode()
)
"""As cheap to check as the members file takes one."""
HTML = {"accept": "text/html"}
CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def name_of(role: Role) -> str:
    return f"Kim {role.replace('_', ' ').title()}"


MEMBERS = {
    row.name.casefold(): row
    for row in (MemberRow(name=name_of(role), roles=frozenset({role}), password=HASH) for role in ROLES)
}


@dataclass
class Clock:
    """The time of the door, which stands until a test moves it."""

    now: datetime = field(default_factory=lambda: datetime(2026, 3, 10, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Place:
    """Where the door is, its clock, and the Dagster behind it."""

    port: int
    clock: Clock
    instance: dg.DagsterInstance
    browsers: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def browser(self, **headers: str) -> httpx.Client:
        """A browser that nobody used, at the door; closed with it."""
        found = httpx.Client(
            base_url=self.url, trust_env=False, headers={**HTML, **headers}, verify=public_authorities(), timeout=30
        )
        self.browsers.append(found)
        return found


@dataclass(frozen=True)
class Behind:
    """Dagster's app, made for the door, and its instance."""

    app: ASGIApp
    instance: dg.DagsterInstance


@contextmanager
def behind_the_door(folder: Path) -> Iterator[Behind]:
    """Dagster's own app over an instance in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder))
        with dagster_app(make_home(folder), DAGSTER, _may_run) as app, dg.DagsterInstance.get() as instance:
            yield Behind(app, instance)


@read_once
def usual_settings() -> Settings:
    """Settings as they are without any."""
    return Settings()


@contextmanager
def open_door(
    behind: Behind,
    database_url: str,
    *,
    is_demo: bool = False,
    settings: Settings | None = None,
    roster: Roster | None = None,
) -> Iterator[Place]:
    """Serve a door before a Dagster."""
    clock, found = Clock(), settings or usual_settings()
    limits = found.desk.waiver_limits
    reach = DeskReach(lambda: lending.lend(database_url), found, CreditNotePolicy(), limits, clock)
    app = door_app(
        behind.app,
        desk_routes(reach),
        connect=lambda: lending.lend(database_url),
        roster=roster or Roster(MEMBERS),
        settings=found,
        clock=clock,
        is_demo=is_demo,
    )
    with serving(app) as port:
        place = Place(port, clock, behind.instance)
        yield place
        for browser in place.browsers:
            browser.close()


def token(answer: httpx.Response) -> str:
    """The token in the forms of a page."""
    found = CSRF.search(answer.text)
    assert found, answer.text
    return found[1]


def try_password(browser: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    """Load the sign-in page and send its form."""
    form = {"name": name, "password": password, "csrf": token(browser.get("/sign-in")), **more}
    return browser.post("/sign-in", data=form)


def sign_in(place: Place, role: Role) -> httpx.Client:
    """A browser in which the member of a role has signed in."""
    browser = place.browser()
    assert try_password(browser, name_of(role), PASSWORD).status_code == 303
    return browser
