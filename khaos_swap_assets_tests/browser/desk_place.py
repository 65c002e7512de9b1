"""The desk behind its door over a small town, served for a real browser, and taken pictures of.

    python -m khaos_swap_assets_tests.browser.desk_place docs/img        (writes the pictures of docs/desk.md)

Belongs here: the town, serving it, signing in. Stays out: what is expected of the pages.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page
from starlette.responses import PlainTextResponse

from khaos_swap_assets.adapters.members import Roster
from khaos_swap_assets.adapters.store import database, embedded, mark, migrate
from khaos_swap_assets.desk.reach import DeskReach
from khaos_swap_assets.desk.routes import desk_routes
from khaos_swap_assets.domain.desk.members import Role
from khaos_swap_assets.door.app import door_app
from khaos_swap_assets_tests.browser.chromium import open_browser
from khaos_swap_assets_tests.door.place import MEMBERS, PASSWORD, name_of
from khaos_swap_assets_tests.lending import close_all, lend
from khaos_swap_assets_tests.running import serving
from khaos_swap_assets_tests.stages.town import Town, a_line, a_note, a_return, an_order, refunded_ago

WIDE, PHONE = (1280, 900), (375, 800)


def filled(url: str) -> Town:
    """A town with a case for each queue: gaps small and large, a loose note, a code that is none, a missing order."""
    town = Town(url).with_settings(mode="audit", post_from=None)
    hats = [
        a_return(n, a_line("HAT", 1, pence), **refunded_ago(3)) for n, pence in ((1, 4_500), (2, 129_900), (3, 2_400))
    ]
    town.sells_and_takes_back(*hats)
    town.khaos.sell(an_order(4, ("CAP-1", 1)))
    town.swap.put(
        a_return(4, a_line("cap-1", 1, 1_995), **refunded_ago(9)), a_return(5, a_line("HAT"), **refunded_ago(6))
    )
    notes = (
        a_note("CN1", 4_000, associated_ref="RMA1"),
        a_note("CN2", 100_000, customer_code="C2", associated_ref="RMA2"),
    )
    loose = a_note("CN9", 2_500, customer_code="C3")
    town.khaos.notes = {note.credit_note_code: note for note in (*notes, loose)}
    town.sync()
    town.sync(days=1)
    return town


@contextmanager
def served(town: Town) -> Iterator[str]:
    """The address of the desk of a town, behind the door; Dagster's pages are a word."""
    reach = DeskReach(
        store=lambda: lend(town.url),
        settings=town.settings,
        policy=town.policy,
        waiver_limits=town.settings.desk.waiver_limits,
        clock=lambda: town.now,
    )
    app = door_app(
        PlainTextResponse("Dagster"),
        desk_routes(reach),
        connect=lambda: lend(town.url),
        roster=Roster(MEMBERS),
        settings=town.settings,
        clock=lambda: town.now,
        is_demo=False,
    )
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


def sign_in(page: Page, address: str, role: Role) -> None:
    """Sign in as the member of a role, as a person does."""
    page.goto(f"{address}/sign-in")
    page.locator("input[name=name]").fill(name_of(role))
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(f"{address}/")


def pictures(folder: Path) -> Iterator[Path]:
    """Take the pictures of the handbook; the files written."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-desk-", dir="/tmp") as home:
        server = embedded.start(Path(home) / "postgres", durable=False)
        url = server.url("khaos_swap")
        database.ensure(url)
        migrate.upgrade(url)
        with database.connect(url, application="pictures") as conn:
            mark.ensure(conn, "test")
        town = filled(url)
        number = town.one("SELECT exception_id FROM recon.exceptions WHERE kind = 'value_gap' AND rma = 'RMA2'")
        shots: dict[str, tuple[Role, str, tuple[int, int]]] = {
            "desk_queue.png": ("finance", "/queues/all", WIDE),
            "desk_case.png": ("finance", f"/exceptions/{number}", WIDE),
            "desk_refund.png": ("finance", "/returns/RMA1", WIDE),
            "desk_phone.png": ("finance", "/queues/finance", PHONE),
            "desk_bench.png": ("operations", "/bench?word=RMA5", PHONE),
        }
        with served(town) as address, open_browser() as browser:
            for name, (role, path, (width, height)) in shots.items():
                page = browser.new_context(viewport={"width": width, "height": height}).new_page()
                sign_in(page, address, role)
                page.goto(f"{address}{path}", wait_until="networkidle")
                page.screenshot(path=folder / name)
                yield folder / name
        close_all()
        server.stop()


if __name__ == "__main__":
    for file in pictures(Path(sys.argv[1])):
        sys.stdout.write(f"{file}\n")
