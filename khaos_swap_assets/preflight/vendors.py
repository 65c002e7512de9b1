"""``khaos-swap preflight``: tries each connection and capability, and says in plain words what follows.

Belongs here: the questions and the words. Stays out: how a vendor or the database is asked (``adapters``); a read is
repeated as often as in a sync, so that what no sync would feel is no failure here. Reads only: nothing is written to
either vendor, and nothing but a message to the alert addresses is sent when it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from khaos_swap_assets.adapters.errors import KhaosSwapError, SettingsError, VendorError
from khaos_swap_assets.adapters.settings import PREFIX, Settings
from khaos_swap_assets.preflight.finding import PreflightFinding, Verdict
from khaos_swap_assets.preflight.room import room_for
from khaos_swap_assets.preflight.stores import named
from khaos_swap_assets.running import installation

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.domain.refunds.proof import Carried


CLOUD = (
    "Khaos Cloud has no web service: Stock Codes and levels come by the channel's pushes, sales orders and credit "
    "notes by khaos-swap import"
)
WITHOUT_URL = f"set it, or {PREFIX}KHAOS_EDITION=cloud where there is no web service"
PROOF_PAGES = 20
UNREACHED = {
    "Swap": ("SWAP_URL", "SWAP_URL", "no return can be read"),
    "Khaos": ("KHAOS_URL", "KHAOS_CA_FILE", "no Stock Code, Sales Order or Credit Note can be read, nothing is posted"),
    "storefront": ("STOREFRONT_URL", "STOREFRONT_URL", "no payment is witnessed, no refund counts as paid"),
}
"""By vendor: the variable to look at, that of the trust in its certificate, and what follows."""
NO_FILES: dict[Literal["sales-orders", "credit-notes"], str] = {
    "sales-orders": "no Sales Orders were imported: no order is known as invoiced, nothing is drafted; stay in audit",
    "credit-notes": "no Credit Notes were imported with --complete-to: nothing can be handed out; stay in audit",
}


def examine(
    settings: Settings, *, mark: Literal["live", "demo"] = "live", send_alert: bool = False
) -> list[PreflightFinding]:
    """Try everything, stop at nothing."""
    return [
        *_settings(settings, mark),
        *_tried("database", lambda: _database(settings, mark)),
        *_of_stores("Swap", _swap, settings),
        *_khaos(settings),
        *_of_stores("storefront", _storefront, settings),
        *_gateway(settings),
        *_tried("policy", lambda: _policy(settings)),
        *_alerts(settings, send_alert=send_alert),
    ]


def follows(settings: Settings, findings: Iterable[PreflightFinding]) -> list[str]:
    """What can be done with what was found, in words; the last line is the verdict."""
    failed = [finding.subject for finding in findings if finding.verdict == "fails"]
    limited = [finding.subject for finding in findings if finding.verdict == "missing"]
    lines = [f"limits: {', '.join(dict.fromkeys(limited))}"] if limited else []
    if failed:
        which = ", ".join(dict.fromkeys(failed))
        return [*lines, f"not ready for {settings.mode}: {which}; correct these and run again"]
    return [*lines, f"ready for {settings.mode}: khaos-swap up"]


def _tried(subject: str, *questions: Callable[[], Iterable[PreflightFinding]]) -> list[PreflightFinding]:
    """Ask one after the other; a vendor that cannot be reached is told in one line and asked no further."""
    found: list[PreflightFinding] = []
    for ask in questions:
        try:
            found += list(ask())
        except KhaosSwapError as error:
            if isinstance(error, VendorError) and error.place:
                return [*found, PreflightFinding("fails", subject, _unreached(subject, error))]
            found += [PreflightFinding("fails", subject, line) for line in str(error).splitlines()]
    return found


def _of_stores(
    vendor: str, ask: Callable[[Settings], Iterable[PreflightFinding]], settings: Settings
) -> list[PreflightFinding]:
    """The same of every store."""
    told = ((one.swap.store, _tried(vendor, partial(ask, one))) for one in settings.by_store)
    return [finding for store, found in told for finding in named(found, store)]


def _unreached(subject: str, error: VendorError) -> str:
    address, trust, follows_from_it = UNREACHED[subject]
    reason = str(error).partition(": ")[2]
    variable = trust if "certificate" in reason else address
    return f"{error.place} cannot be reached ({reason}); look at {PREFIX}{variable}; until then {follows_from_it}"


def _settings(settings: Settings, mark: str) -> list[PreflightFinding]:
    from khaos_swap_assets.adapters.settings_checks import require_live
    from khaos_swap_assets.gateway.security import refuse_demo_secrets

    checks: list[Callable[[], None]] = [
        lambda: require_live(settings, os.environ),
        lambda: refuse_demo_secrets(settings, mark),
    ]
    found: list[PreflightFinding] = []
    for check in checks:
        try:
            check()
        except SettingsError as error:
            found += [PreflightFinding("fails", "settings", line) for line in str(error).splitlines()]
    return found or [PreflightFinding("works", "settings", f"complete for mode {settings.mode}")]


def _policy(settings: Settings) -> Iterator[PreflightFinding]:
    from khaos_swap_assets.adapters.policy import load_policy
    from khaos_swap_assets.domain.policy.decisions import tasks_of

    policy = load_policy(settings.policy_file)
    place = str(settings.policy_file or "the defaults")
    yield PreflightFinding("works", "policy", f"version {policy.version} of {place}")
    tasks = tasks_of(policy)
    if tasks:
        yield PreflightFinding("missing", "policy", f"not decided, so a person books it: {', '.join(tasks)}")


def _database(settings: Settings, wanted: Literal["live", "demo"]) -> Iterator[PreflightFinding]:
    from khaos_swap_assets.adapters.store import database, mark, migrate, sizes

    url = settings.database_url.get_secret_value()
    if not url:
        yield PreflightFinding(
            "missing", "database", f"{PREFIX}DATABASE_URL is empty: the embedded one serves, for audit only"
        )
        return
    with database.connect(url, application="preflight") as connection:
        version = connection.info.server_version // 10000
    migrate.check(url)
    with database.reported(url), database.connect(url, application="preflight") as connection:
        mark.require(connection, wanted)
        database.require_writable(connection, url)
        yield from _feed(connection, settings)
        yield room_for(settings, sizes.connections_allowed(connection))
    yield PreflightFinding(
        "works", "database", f"{database.place(url)} is PostgreSQL {version} and has the tables it should"
    )
    dagster = installation.require_dagster(url)
    yield PreflightFinding("works", "database", f"{database.place(dagster)} is there for Dagster")


def _swap(settings: Settings) -> Iterator[PreflightFinding]:
    from khaos_swap_assets.adapters.swap import client
    from khaos_swap_assets.domain.refunds.proof import NUMBERS_DAYS, carried

    with closing(client.connect(settings.swap)) as swap:
        yield PreflightFinding("works", "Swap", swap.probe())
        since = datetime.now(UTC) - timedelta(days=NUMBERS_DAYS)
        yield _proof(settings, carried(one.record for one in swap.sample(since, PROOF_PAGES)))
    secret = settings.swap.webhook_secret.get_secret_value()
    yield _set(bool(secret), "Swap webhooks", f"{PREFIX}SWAP_WEBHOOK_SECRET", "returns are seen by sweeps alone, later")


def _proof(settings: Settings, found: Carried) -> PreflightFinding:
    """What closed returns carry of a payment, and whether the rule in force agrees with that."""
    told = f"of the last 90 days, {found}; {found.unproven(settings.proof)} count as not paid"
    if advice := found.advice(settings.proof):
        return PreflightFinding("missing", "proof of refunds", f"{told}; {advice}")
    return PreflightFinding("works", "proof of refunds", told)


def _khaos(settings: Settings) -> Iterator[PreflightFinding]:
    from khaos_swap_assets.adapters.khaos import client
    from khaos_swap_assets.preflight import khaos as soap

    if settings.khaos.is_cloud:
        yield PreflightFinding("missing", "Khaos", CLOUD)
        yield from _tried("Khaos files", lambda: _files(settings))
        return
    if not settings.khaos.url:
        yield PreflightFinding("fails", "Khaos", f"{PREFIX}KHAOS_URL is not set; {WITHOUT_URL}")
        return
    try:
        khaos = client.connect(settings.khaos)
    except KhaosSwapError as error:
        yield PreflightFinding("fails", "Khaos", str(error))
        return
    with closing(khaos.http):
        questions = soap.QUESTIONS
        yield from _tried("Khaos", *(partial(ask, khaos, settings) for ask in questions))


def _storefront(settings: Settings) -> Iterator[PreflightFinding]:
    from khaos_swap_assets.adapters.storefront import client

    if not settings.storefront.is_connected:
        words = "Swap's word stands for the money: no payment is witnessed"
        yield _set(False, "storefront", f"{PREFIX}STOREFRONT_URL", words)
        return
    with closing(client.connect(settings.storefront)) as shop:
        granted = shop.scopes()
        lacking = [scope for scope in client.NEEDED_SCOPES if scope not in granted]
        if lacking:
            yield PreflightFinding(
                "fails", "storefront scopes", f"the app lacks {', '.join(lacking)}: no refund can be read"
            )
            return
        unread = [scope for scope in client.PAYOUT_SCOPES if scope not in granted]
        if settings.storefront.payouts and unread:
            yield PreflightFinding(
                "fails", "storefront scopes", f"the app lacks {', '.join(unread)}: no payout can be read"
            )
        if client.PRODUCT_SCOPE not in granted:
            words = f"without {client.PRODUCT_SCOPE} no listed SKU can be looked at before it comes back"
            yield PreflightFinding("missing", "storefront scopes", words)
        if client.ALL_ORDERS not in granted:
            words = f"without {client.ALL_ORDERS} orders older than 60 days are hidden: their refunds count as not paid"
            yield PreflightFinding("missing", "storefront scopes", words)
        sweep = shop.changed_since(datetime.now(UTC) - timedelta(days=1))
    told = f"{len(sweep.refunds)} refunds on {sweep.orders} orders of the last day can be read"
    if sweep.faults:
        yield PreflightFinding("missing", "storefront", f"{told}, {len(sweep.faults)} cannot: {sweep.faults[0].reason}")
    has_keys = bool(settings.storefront.webhook_keys)
    words = "refunds and cancelled orders are seen by polling alone, minutes later"
    yield _set(has_keys, "storefront webhooks", f"{PREFIX}STOREFRONT_WEBHOOK_SECRET", words)
    yield PreflightFinding("works", "storefront", f"{told}; a refund counts once its money moved")


def _files(settings: Settings) -> Iterator[PreflightFinding]:
    """Whether the files came that Khaos Cloud needs; without them only audit is possible."""
    from khaos_swap_assets.adapters.store import database, imports

    url = settings.database_url.get_secret_value()
    lacking: Verdict = "missing" if settings.mode == "audit" else "fails"
    for kind, words in NO_FILES.items():
        last = None
        if url:
            with database.connect(url, application="preflight") as connection:
                last = imports.newest(connection, kind, is_complete=kind == "credit-notes")
        told = last and f"{last.file_name} with {last.documents} documents, by {last.imported_by}"
        yield (
            PreflightFinding("works", "Khaos files", f"{kind}: {told}")
            if told
            else PreflightFinding(lacking, "Khaos files", words)
        )


def _gateway(settings: Settings) -> Iterator[PreflightFinding]:
    khaos = settings.khaos
    is_channel = bool(khaos.channel_user and khaos.channel_password.get_secret_value())
    names = f"{PREFIX}KHAOS_CHANNEL_USER and {PREFIX}KHAOS_CHANNEL_PASSWORD"
    yield _set(is_channel, "Khaos channel", names, "Khaos cannot fetch returns from us: audit only")
    is_sealed = bool(settings.seal_key.get_secret_value())
    yield _set(is_sealed, "names and addresses", f"{PREFIX}SEAL_KEY", "no document can be prepared: audit only")
    is_told = bool(settings.inspection_token.get_secret_value())
    lacking = "the warehouse cannot report; only what Swap calls Approved or Missing settles a return"
    yield _set(is_told, "inspections", f"{PREFIX}INSPECTION_TOKEN", lacking)
    if settings.swap.kept_statuses or settings.swap.kept_tags:
        lacking = "what a customer keeps is credited by nobody: each is a task"
        yield _set(bool(khaos.reason_kept), "kept goods", f"{PREFIX}KHAOS_REASON_KEPT", lacking)
    is_public = bool(settings.gateway_public_url)
    lacking = "Khaos is told the address that it happens to call; set it behind a proxy"
    yield _set(is_public, "gateway", f"{PREFIX}GATEWAY_PUBLIC_URL", lacking)


def _feed(connection: psycopg.Connection[Any], settings: Settings) -> Iterator[PreflightFinding]:
    """What stops documents now; a person's hold, and that nobody watches, stop all of them."""
    from khaos_swap_assets.stages.credit_notes.stopping import feed_problems

    if settings.mode != "audit":
        lines = feed_problems(connection, settings=settings, now=datetime.now(UTC))
        yield from (PreflightFinding("missing", "feed", line) for line in lines)
        yield from [] if lines else [PreflightFinding("works", "feed", "nothing stops it")]


def _alerts(settings: Settings, *, send_alert: bool) -> Iterator[PreflightFinding]:
    if not settings.alert_urls.get_secret_value():
        yield _set(False, "alerts", f"{PREFIX}ALERT_URLS", "nobody is told of a failed run or a new unknown SKU")
        return
    if not send_alert:
        yield PreflightFinding("works", "alerts", f"{PREFIX}ALERT_URLS is set; --send-alert tries it")
        return
    from khaos_swap_assets.adapters.alerts import send

    is_sent = send(settings, "Khaos Swap: a test", "khaos-swap preflight sent this to see whether it arrives.")
    words = "a test message was sent to every address" if is_sent else "a test message did not reach every address"
    yield PreflightFinding("works" if is_sent else "fails", "alerts", words)


def _set(is_set: bool, subject: str, variable: str, lacking: str) -> PreflightFinding:
    if is_set:
        return PreflightFinding("works", subject, f"{variable} set")
    return PreflightFinding("missing", subject, f"{variable} not set: {lacking}")
