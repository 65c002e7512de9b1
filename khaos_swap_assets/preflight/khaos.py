"""What ``khaos-swap preflight`` asks the Khaos web service.

Belongs here: the questions and the words. Stays out: how Khaos is asked (``adapters.khaos``), and all other vendors
(``preflight``). An operation that is optional may be missing, or refuse: that limits, and stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos import capabilities, writes
from khaos_swap_assets.adapters.settings import PREFIX
from khaos_swap_assets.preflight.finding import PreflightFinding, Verdict
from khaos_swap_assets.stages.orders import note_items

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.adapters.settings import Settings

LOOK_BACK = timedelta(days=30)


def _capabilities(khaos: KhaosClient, _: Settings) -> Iterator[PreflightFinding]:
    found = capabilities.read(khaos.http)
    for operation, line in zip({**capabilities.REQUIRED, **capabilities.OPTIONAL}, found.describe(), strict=True):
        lacking: Verdict = "fails" if operation in capabilities.REQUIRED else "missing"
        yield PreflightFinding("works" if found.has(operation) else lacking, "Khaos operation", line)


def _version(khaos: KhaosClient, _: Settings) -> Iterator[PreflightFinding]:
    yield PreflightFinding("works", "Khaos", f"the web service answers, version {khaos.get_version()}")


def _sites(khaos: KhaosClient, settings: Settings) -> Iterator[PreflightFinding]:
    try:
        names = khaos.get_site_list()
    except PermanentError as error:
        yield PreflightFinding("missing", "Khaos site", f"{capabilities.OPTIONAL['GetSiteList']}: {error}")
        return
    wanted = {"SITE_ID": settings.khaos.site_id, "NONSALEABLE_SITE_ID": settings.khaos.nonsaleable_site_id}
    for variable, site in wanted.items():
        told = ", ".join(f"{number} {name}" for number, name in sorted(names.items()))
        if site in names:
            yield PreflightFinding("works", "Khaos site", f"{PREFIX}KHAOS_{variable} {site} is {names[site]}")
        else:
            verdict: Verdict = "fails" if variable == "SITE_ID" else "missing"
            words = f"{PREFIX}KHAOS_{variable} {site} is no site; there are {told or 'none'}"
            yield PreflightFinding(verdict, "Khaos site", words)


def _stock(khaos: KhaosClient, settings: Settings) -> Iterator[PreflightFinding]:
    codes, _ = khaos.get_stock_list(datetime.now(UTC) - LOOK_BACK)
    codes = codes or khaos.get_stock_list(None)[0]
    if not codes:
        yield PreflightFinding("fails", "Khaos stock", "GetStockList names no Stock Code: no SKU can be matched")
        return
    items, faults = khaos.export_stock(codes[:1])
    if not items:
        reason = faults[0].reason if faults else "nothing came"
        yield PreflightFinding("fails", "Khaos stock", f"Stock Code {codes[0]} cannot be read: {reason}")
        return
    levels, _ = khaos.export_stock_status(codes[:1], settings.khaos.site_id)
    told = f"{levels[0].available} available" if levels else "no level at this site"
    yield PreflightFinding("works", "Khaos stock", f"Stock Code {items[0].stock_code} can be read, {told}")


def _documents(khaos: KhaosClient, _: Settings) -> Iterator[PreflightFinding]:
    now = datetime.now(UTC)
    feed = khaos.export_order_status(since=now - timedelta(days=7), until=now)
    told = f"{len(feed.orders)} orders and {len(feed.credit_notes)} credit notes of the last 7 days can be read"
    if feed.faults:
        yield PreflightFinding(
            "missing", "Khaos documents", f"{told}, {len(feed.faults)} cannot: {feed.faults[0].reason}"
        )
    else:
        yield PreflightFinding("works", "Khaos documents", told)
    is_limit, words = note_items.told(note_items.probe(khaos, feed.credit_notes, now))
    yield PreflightFinding("missing" if is_limit else "works", "Khaos note items", words)


def _cancelling(khaos: KhaosClient, settings: Settings) -> Iterator[PreflightFinding]:
    if not settings.khaos.cancels_orders:
        return
    try:
        told = f"{writes.CANCEL} can be asked, by {' and '.join(khaos.cancel_parameters())}"
    except PermanentError as error:
        lacking = f"{PREFIX}KHAOS_CANCELS_ORDERS is on, and {error}; {capabilities.OPTIONAL[writes.CANCEL]}"
        yield PreflightFinding("missing", "cancelled orders", lacking)
        return
    yield PreflightFinding("works", "cancelled orders", told)


QUESTIONS = (_capabilities, _version, _sites, _stock, _documents, _cancelling)
