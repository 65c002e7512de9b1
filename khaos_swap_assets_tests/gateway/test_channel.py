"""The Khaos channel: configuration, the feed byte by byte, and pushes that are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets_tests.gateway.conftest import CHANNEL, NOW, Gateway, OpenGateway, Rows, configure

KEPT = "SELECT source, event, body FROM recon.inbox ORDER BY inbox_id"
PULL = {"Sirion-Continuation": "2019-12-31 12:00:00Z"}


@dataclass(frozen=True)
class Answer:
    token: str
    documents: Sequence[str]


@dataclass
class Feed:
    """Stands in for the posting engine: answers the same page and remembers what it was asked."""

    page: Answer = field(default_factory=lambda: Answer("ks1.1", ['{"AssociatedRef":"RMA1001","Quantity":1.0}', "{}"]))
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    fails: Exception | None = None

    def __call__(
        self, conn: Any, /, *, settings: Settings, now: Any, continuation: str, specific_ids: Sequence[str]
    ) -> Answer:
        self.asked.append((settings.mode, now, continuation, list(specific_ids)))
        conn.execute("INSERT INTO recon.watermarks VALUES ('handed out', now()) ON CONFLICT DO NOTHING")
        if self.fails:
            raise self.fails
        return self.page


def test_the_configuration_has_every_member_that_khaos_requires(gateway: Gateway) -> None:
    members = gateway.get("/khaos/config", auth=CHANNEL).json()["EndpointConfig"]
    assert {"OrderDownload", "StockStatusUpload", "StockUpload", "OrderStatusUpload", "CReturnDownload"} == set(members)
    assert all(one["Format"] == "JSON" for one in members.values())
    assert members["CReturnDownload"] == {"URL": "https://hub.example/khaos/returns", "Format": "JSON", "Frequency": 15}
    assert members["OrderDownload"]["Frequency"] == 15


def test_every_url_of_the_configuration_answers(gateway: Gateway) -> None:
    members = gateway.get("/khaos/config", auth=CHANNEL).json()["EndpointConfig"]
    for name, member in members.items():
        path = member["URL"].removeprefix("https://hub.example")
        method = "GET" if name.endswith("Download") else "POST"
        answer = gateway.request(method, path, json={}, auth=CHANNEL)
        assert answer.status_code == 200, name


def test_without_a_public_url_the_gateways_own_address_is_given(open_gateway: OpenGateway) -> None:
    gateway = open_gateway(settings=configure(gateway_public_url="", gateway_port=8700))
    members = gateway.get("/khaos/config", auth=CHANNEL).json()["EndpointConfig"]
    assert members["StockUpload"]["URL"] == "http://127.0.0.1:8700/khaos/stock"


def test_there_are_no_orders_to_download(gateway: Gateway) -> None:
    body = gateway.get("/khaos/orders", auth=CHANNEL).json()
    assert (body["Orders"], body["ApiVersion"]) == ([], 1000)
    assert set(body["Config"]) == {"MatchCompanyOn", "MatchAddressOn", "MatchContactOn"}


def test_a_pull_gets_the_documents_as_they_are(open_gateway: OpenGateway) -> None:
    exact = '{"AssociatedRef":"RMA1001","ReturnedItems":[{"UnitPrice":{"Gross":84.990}}],"Notes":"Zoë"}'
    feed = Feed(Answer("ks1.7", [exact, "{}"]))
    answer = open_gateway(hand_out=feed).get("/khaos/returns", headers=PULL, auth=CHANNEL)
    assert answer.status_code == 200
    assert answer.headers["sirion-continuation"] == "ks1.7"
    assert answer.headers["content-type"] == "application/json"
    assert exact in answer.text
    body = json.loads(answer.text, parse_float=Decimal)
    assert (len(body["Returns"]), body["ApiVersion"]) == (2, 1000)
    assert body["Config"] == {"MatchAddressOn": ["Address1", "Postcode"], "MatchContactOn": ["Surname"]}
    assert feed.asked == [("audit", NOW, "2019-12-31 12:00:00Z", [])]


def test_what_the_feed_wrote_is_committed_before_the_answer(open_gateway: OpenGateway, rows: Rows) -> None:
    open_gateway(hand_out=Feed()).get("/khaos/returns", headers=PULL, auth=CHANNEL)
    assert rows("SELECT source FROM recon.watermarks") == [("handed out",)]


@pytest.mark.parametrize(
    ("header", "references"),
    [
        ('"RMA1001,RMA1002"', ["RMA1001", "RMA1002"]),
        ("RMA1001, RMA1002", ["RMA1001", "RMA1002"]),
        ('"RMA1001","RMA1002"', ["RMA1001", "RMA1002"]),
        ("'RMA1001'", ["RMA1001"]),
        ("RMA1001,,", ["RMA1001"]),
    ],
)
def test_single_returns_are_asked_for_by_reference(
    open_gateway: OpenGateway, header: str, references: list[str]
) -> None:
    feed = Feed()
    open_gateway(hand_out=feed).get("/khaos/returns", headers=PULL | {"SpecificIDs": header}, auth=CHANNEL)
    assert feed.asked[0][3] == references


@pytest.mark.parametrize("header", ['""', "", " , ", "','"])
def test_asking_for_none_by_name_is_not_asking_for_all(open_gateway: OpenGateway, header: str) -> None:
    feed = Feed()
    answer = open_gateway(hand_out=feed).get("/khaos/returns", headers=PULL | {"SpecificIDs": header}, auth=CHANNEL)
    assert (answer.json()["Returns"], answer.headers["sirion-continuation"]) == ([], "2019-12-31 12:00:00Z")
    assert feed.asked == []


def test_a_gateway_without_a_feed_hands_out_nothing_and_keeps_the_token(gateway: Gateway) -> None:
    answer = gateway.get("/khaos/returns", headers={"Sirion-Continuation": "ks1.3"}, auth=CHANNEL)
    assert (answer.json()["Returns"], answer.headers["sirion-continuation"]) == ([], "ks1.3")


def test_a_look_without_the_body_hands_out_nothing(open_gateway: OpenGateway) -> None:
    feed = Feed()
    assert open_gateway(hand_out=feed).head("/khaos/returns", auth=CHANNEL).status_code == 405
    assert feed.asked == []


@pytest.mark.parametrize("headers", [{"Sirion-Continuation": "x" * 201}, {"SpecificIDs": "x," * 4001}])
def test_headers_of_any_length_are_not_read(open_gateway: OpenGateway, headers: dict[str, str]) -> None:
    feed = Feed()
    assert open_gateway(hand_out=feed).get("/khaos/returns", headers=headers, auth=CHANNEL).status_code == 400
    assert feed.asked == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SettingsError("KHAOS_SWAP_SEAL_KEY is no key"), "KHAOS_SWAP_SEAL_KEY is no key"),
        (StoreError("db.internal:5432: wrong password for user khaos"), "the database cannot be used"),
    ],
)
def test_a_feed_that_fails_hands_out_nothing_and_keeps_nothing(
    open_gateway: OpenGateway, rows: Rows, error: Exception, told: str
) -> None:
    answer = open_gateway(hand_out=Feed(fails=error)).get("/khaos/returns", headers=PULL, auth=CHANNEL)
    assert answer.status_code == 503
    assert told in answer.text
    assert "db.internal" not in answer.text
    assert rows("SELECT source FROM recon.watermarks") == []


LEVEL = {"Statuses": [{"StockCode": "A", "SiteID": 1, "Levels": {"Available": 5.0}}]}
OTHER = {"Statuses": [{"StockCode": "A", "SiteID": 1, "Levels": {"Available": 4.0}}]}


@pytest.mark.parametrize(
    ("path", "event"),
    [("stock", "StockUpload"), ("stock-status", "StockStatusUpload"), ("order-status", "OrderStatusUpload")],
)
def test_a_push_is_kept_whole(gateway: Gateway, rows: Rows, path: str, event: str) -> None:
    assert gateway.post(f"/khaos/{path}", json=LEVEL, auth=CHANNEL).json() == {"accepted": True}
    stored = {"Statuses": [{"StockCode": "A", "SiteID": 1, "Levels": {"Available": "5.0"}}]}
    assert rows(KEPT) == [("khaos", event, stored)]


def test_only_a_repeat_of_the_newest_push_is_no_news(gateway: Gateway, rows: Rows) -> None:
    for body in (LEVEL, LEVEL, OTHER, LEVEL, LEVEL):
        gateway.post("/khaos/stock-status", json=body, auth=CHANNEL)
        gateway.post("/khaos/stock", json={}, auth=CHANNEL)
    found = [row[2]["Statuses"][0]["Levels"]["Available"] for row in rows(KEPT) if row[1] == "StockStatusUpload"]
    assert found == ["5.0", "4.0", "5.0"]
    assert sum(row[1] == "StockUpload" for row in rows(KEPT)) == 1


UNREADABLE = [b"", b"[]", b"{", b"\x00", b"<StockUpload/>", b"\xff", b"[" * 50_000, b'{"a":' * 50_000]


@pytest.mark.parametrize("body", UNREADABLE)
@pytest.mark.parametrize("path", ["stock", "stock-status", "order-status"])
def test_a_push_that_cannot_be_read_is_kept_whole(gateway: Gateway, rows: Rows, path: str, body: bytes) -> None:
    for _ in range(2):
        assert gateway.post(f"/khaos/{path}", content=body, auth=CHANNEL).status_code == 200
    ((_, _, kept),) = rows(KEPT)
    assert kept == {"unreadable": body.decode(errors="replace").replace("\x00", "\ufffd")}


ENDPOINTS = [
    ("GET", "/khaos/config"),
    ("GET", "/khaos/orders"),
    ("GET", "/khaos/returns"),
    ("POST", "/khaos/stock"),
    ("POST", "/khaos/stock-status"),
    ("POST", "/khaos/order-status"),
]
STRANGERS: list[Any] = [
    None,
    ("khaos", "wrong"),
    ("wrong", "pass:word"),
    ("khaos", ""),
    ("", ""),
    ("khaos", "pass"),
    ("KHAOS", "pass:word"),
    ("khaos", "pass:word "),
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("auth", STRANGERS, ids=str)
def test_a_stranger_gets_nothing(
    open_gateway: OpenGateway, rows: Rows, method: str, path: str, auth: tuple[str, str] | None
) -> None:
    feed = Feed()
    answer = open_gateway(hand_out=feed).request(method, path, json={}, auth=auth)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="khaos-swap"')
    assert feed.asked == []
    assert rows(KEPT) == []


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic a2hhb3M=", "Basic /w==", "Bearer a2hhb3M6cGFzczp3b3Jk"]
)
def test_a_header_that_is_no_user_and_password_is_refused(gateway: Gateway, header: str) -> None:
    assert gateway.get("/khaos/config", headers={"authorization": header}).status_code == 401


@pytest.mark.parametrize("auth", [("", ""), ("khaos", "")])
def test_a_channel_without_a_password_set_is_closed(open_gateway: OpenGateway, auth: tuple[str, str]) -> None:
    settings = configure()
    open_door = settings.khaos.model_copy(update={"channel_password": type(settings.inspection_token)("")})
    gateway = open_gateway(settings=settings.model_copy(update={"khaos": open_door}))
    assert gateway.get("/khaos/config", auth=auth).status_code == 401


@pytest.mark.parametrize(
    ("host", "scheme", "status"),
    [
        ("127.0.0.1", "http", 200),
        ("::1", "http", 200),
        ("203.0.113.9", "https", 200),
        ("203.0.113.9", "http", 403),
        ("192.168.1.20", "http", 403),
        ("testclient", "http", 403),
    ],
)
def test_names_and_passwords_do_not_travel_in_the_clear(
    open_gateway: OpenGateway, host: str, scheme: str, status: int
) -> None:
    feed = Feed()
    gateway = open_gateway(host, scheme, hand_out=feed)
    assert gateway.get("/khaos/returns", headers=PULL, auth=CHANNEL).status_code == status
    assert len(feed.asked) == (status == 200)
