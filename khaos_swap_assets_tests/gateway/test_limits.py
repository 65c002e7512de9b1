"""What one sender and all requests together may take; refusals are counted; the figures tell it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import arrivals, inbox
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store.arrivals import Knock, RefusedMessage
from khaos_swap_assets.gateway import limits
from khaos_swap_assets.gateway.app import create_app
from khaos_swap_assets.gateway.limits import SenderRate
from khaos_swap_assets.gateway.refusals import Heads
from khaos_swap_assets.gateway.writing import Writer
from khaos_swap_assets_tests.gateway.conftest import (
    CHANNEL,
    NOW,
    SECRET,
    TOKEN,
    Gateway,
    OpenGateway,
    Rows,
    configure,
)
from khaos_swap_assets_tests.gateway.test_inspections import finding
from khaos_swap_assets_tests.gateway.test_webhooks import message, signed

REFUSED = "SELECT reason, sender, size_bytes, times, head FROM recon.refused_messages ORDER BY reason"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_sender_has_a_burst_and_then_its_rate() -> None:
    clock = Clock()
    rate = SenderRate(2, clock)
    assert [rate.wait("a") for _ in range(21)] == [0.0] * 21
    assert rate.wait("a") == pytest.approx(0.5)
    assert rate.wait("b") == 0
    clock.now += 0.5
    assert rate.wait("a") == 0
    assert rate.wait("a") > 0
    clock.now += 60
    assert [rate.wait("a") for _ in range(21)] == [0.0] * 21


def test_many_senders_take_a_bounded_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_SENDERS", 3)
    rate = SenderRate(1, Clock())
    for number in range(10):
        rate.wait(str(number))
    assert len(rate._free_at) == 3


def test_too_many_requests_are_told_when_to_come_again(open_gateway: OpenGateway) -> None:
    gateway = open_gateway(settings=configure(gateway_sender_rate=1))
    codes = [gateway.get("/khaos/config", auth=CHANNEL).status_code for _ in range(13)]
    assert set(codes) == {200, 429}
    answer = gateway.get("/khaos/config", auth=CHANNEL)
    assert int(answer.headers["retry-after"]) >= 1
    assert gateway.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-long": "x" * 17_000}, 431),
        ({"content-encoding": "gzip"}, 415),
        ({"content-encoding": "br"}, 415),
        ({"content-encoding": "identity"}, 200),
        ({"content-type": "text/plain"}, 200),
        ({"content-type": "application/xml"}, 200),
        ({"x-forwarded-for": "1.2.3.4\r\nx: y"}, None),
    ],
)
def test_headers(gateway: Gateway, headers: dict[str, str], code: int | None) -> None:
    if code is not None:
        assert gateway.post("/webhooks/swap", content=json.dumps(message()), headers=headers).status_code == code


def slow(database_url: str, seconds: float) -> Any:
    def connect() -> psycopg.Connection[Any]:
        time.sleep(seconds)
        return store.connect(database_url, application="slow")

    return connect


def test_a_slow_database_means_503_before_memory_grows(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rows: Rows
) -> None:
    monkeypatch.setattr(limits, "MAX_REQUESTS", 20)
    app = create_app(connect=slow(database_url, 1.0), settings=configure(), clock=lambda: NOW)
    codes = asyncio.run(_at_once(app, [message(signed(return_id=f"r{n}"), **{"return": {}}) for n in range(100)]))
    assert codes.count(200) == 20
    assert codes.count(503) == 80
    assert len(rows("SELECT 1 FROM recon.inbox")) == 20


async def _at_once(app: FastAPI, bodies: list[dict[str, Any]]) -> list[int]:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5))
    client_of = httpx.AsyncClient(transport=transport, base_url="http://gateway")
    async with app.router.lifespan_context(app), client_of as client:
        answers = await asyncio.gather(*(client.post("/webhooks/swap", json=body) for body in bodies))
    return [answer.status_code for answer in answers]


def test_one_commit_for_all_that_wait_and_each_is_told(database_url: str) -> None:
    commits: list[int] = []
    gate = threading.Event()

    def write(conn: psycopg.Connection[Any], messages: Any) -> None:
        gate.wait(5)
        commits.append(len(messages))
        arrivals.keep(conn, messages)

    writer = Writer(lambda: store.connect(database_url, application="writer"), write)

    async def work() -> None:
        tasks = [asyncio.create_task(writer.keep(knock(f"r{n}"))) for n in range(50)]
        await asyncio.sleep(0.1)
        gate.set()
        await asyncio.gather(*tasks)

    asyncio.run(work())
    writer.close()
    assert sum(commits) == 50
    assert len(commits) <= 3


def knock(return_id: str = "r", event: str = "returnCreated", **changes: Any) -> Knock:
    given: dict[str, Any] = {"store_id": "st", "body": {"return": {}}, "received_at": NOW}
    return Knock(event=event, return_id=return_id, **(given | changes))


def test_a_writer_outlives_a_restart_of_the_server_and_passes_on_what_went_wrong(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    opened: list[psycopg.Connection[Any]] = []

    def connect() -> psycopg.Connection[Any]:
        opened.append(store.connect(database_url, application="writer"))
        return opened[-1]

    writer = Writer(connect, arrivals.keep)
    asyncio.run(writer.keep(knock("a")))
    database.execute("SELECT pg_terminate_backend(%s, 5000)", (opened[0].info.backend_pid,))
    asyncio.run(writer.keep(knock("b")))
    with pytest.raises(psycopg.DataError):
        asyncio.run(writer.keep(knock("nul \x00")))
    asyncio.run(writer.keep(knock("c")))
    writer.close()
    assert len(opened) == 2
    database.rollback()
    assert database.execute("SELECT count(*) FROM recon.inbox").fetchone() == (3,)


def test_a_writer_that_takes_too_long_says_so(database_url: str) -> None:
    writer = Writer(slow(database_url, 0.5), arrivals.keep, patience=0.05)
    with pytest.raises(StoreError, match="too long"):
        asyncio.run(writer.keep(knock()))
    writer.close()


def test_a_batch_folds_repeats_and_the_newest_body_stays(database: psycopg.Connection[Any]) -> None:
    later = NOW + timedelta(seconds=5)
    arrivals.keep_knocks(database, [knock("a"), knock("b"), knock("a", body={"n": 2}, received_at=later)])
    arrivals.keep_knocks(database, [knock("b", received_at=later), knock("a", event="returnProcessed")])
    rows = database.execute(
        "SELECT return_id, event, body, received_at FROM recon.inbox ORDER BY return_id, event"
    ).fetchall()
    assert [(row[0], row[1]) for row in rows] == [
        ("a", "returnCreated"), ("a", "returnProcessed"), ("b", "returnCreated"),
    ]  # fmt: skip
    assert rows[0][2:] == ({"n": 2}, later)
    assert rows[2][3] == later


def test_two_gateways_that_write_the_same_knocks_do_not_lock_each_other_out(database_url: str) -> None:
    names = [f"r{number}" for number in range(200)]

    def work(order: list[str]) -> None:
        with store.connect(database_url, application="one of two") as conn:
            for _ in range(5):
                arrivals.keep_knocks(conn, [knock(name) for name in order])
                conn.commit()

    threads = [threading.Thread(target=work, args=(order,)) for order in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with store.connect(database_url, application="tests") as conn:
        assert conn.execute("SELECT count(*) FROM recon.inbox").fetchone() == (200,)


def test_used_messages_are_forgotten_but_for_the_newest_push(database: psycopg.Connection[Any]) -> None:
    arrivals.keep_knocks(database, [knock("a"), knock("b")])
    for level in range(3):
        inbox.store_push(database, event="StockStatusUpload", body={"level": level}, now=NOW)
    database.execute("UPDATE recon.inbox SET consumed_at = %s WHERE return_id <> 'b'", (NOW,))
    assert arrivals.forget_used(database, NOW) == 0
    assert arrivals.forget_used(database, NOW + timedelta(days=1)) == 3
    assert not inbox.store_push(database, event="StockStatusUpload", body={"level": 2}, now=NOW)
    assert [one.return_id for one in inbox.waiting(database, "swap")] == ["b"]


def refusal(number: int = 0, **changes: Any) -> RefusedMessage:
    given: dict[str, Any] = {"reason": "bad", "sender": "1.2.3.4", "size_bytes": 3, "head": b"abc", "received_at": NOW}
    return RefusedMessage(body_hash=str(number), **(given | changes))


def test_every_refusal_is_counted_and_a_flood_takes_a_bounded_place(
    database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "ROWS_AN_HOUR", 20)
    monkeypatch.setattr(arrivals, "HEADS_AN_HOUR", 5)
    arrivals.count_refusals(database, [refusal(number % 50) for number in range(100)])
    arrivals.count_refusals(database, [refusal(reason="other", received_at=NOW + timedelta(hours=1))])
    assert arrivals.refused(database, NOW) == {"bad": 100, "other": 1}
    found = database.execute("SELECT count(*), count(head) FROM recon.refused_messages WHERE reason = 'bad'").fetchone()
    assert found == (21, 5)
    assert arrivals.forget_refused(database, NOW + timedelta(minutes=30)) == 21


def test_what_is_refused_leaves_its_size_hash_sender_reason_and_head(gateway: Gateway, rows: Rows) -> None:
    bodies = [
        b"{ no json",
        json.dumps(message("x.y.z")).encode(),
        json.dumps(message(signed(secret="whsk_wrong_wrong_wrong_wrong_wrong"))).encode(),
    ]
    assert [gateway.post("/webhooks/swap", content=body).status_code for body in (*bodies, bodies[0])] == [
        400, 401, 401, 400,
    ]  # fmt: skip
    unread, unsigned = rows(REFUSED)[0], [row for row in rows(REFUSED) if "signed" in row[0]]
    assert unread == ("the body is no JSON", "127.0.0.1", 9, 2, b"{ no json")
    assert sum(row[3] for row in unsigned) == 2
    kept = b"".join(row[4] for row in unsigned)
    assert b"priya@example.com" not in kept
    assert b"eyJ" not in kept
    assert rows("SELECT body_hash FROM recon.refused_messages WHERE times = 2") == [
        (hashlib.sha256(bodies[0]).hexdigest(),)
    ]


def test_a_body_too_long_is_counted_by_what_it_announced(gateway: Gateway, rows: Rows) -> None:
    gateway.post("/webhooks/swap", content=b"x" * 2_000_000)
    assert rows(REFUSED) == [("longer than 1 MB", "127.0.0.1", 2_000_000, 1, None)]


def test_a_refusal_that_cannot_be_counted_is_no_answer(open_gateway: OpenGateway) -> None:
    def refuse() -> psycopg.Connection[Any]:
        raise StoreError("down")

    answer = open_gateway(connect=refuse).post("/webhooks/swap", content=b"{")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


def test_heads_are_short_and_a_hundred_an_hour() -> None:
    heads = Heads()
    assert [heads.take(b"x" * 9_000, NOW) for _ in range(101)] == [b"x" * 4096] * 100 + [None]
    assert heads.take(b"", NOW) is None
    assert heads.take(b"y", NOW + timedelta(hours=1)) == b"y"


@pytest.fixture
def body() -> bytes:
    return json.dumps(message()).encode()


def mac(body: bytes, key: bytes = SECRET.encode()) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


def with_hmac(**changes: Any) -> Any:
    swap = configure().swap.model_copy(update={"webhook_hmac_header": "X-Swap-Signature-Sha256"} | changes)
    return configure(swap=swap)


def test_the_signature_of_the_body_is_asked_for_when_set(open_gateway: OpenGateway, body: bytes) -> None:
    gateway = open_gateway(settings=with_hmac())

    def code(signature: str) -> int:
        headers = {"x-swap-signature-sha256": signature}
        return gateway.post("/webhooks/swap", content=body, headers=headers).status_code

    assert code(base64.b64encode(mac(body)).decode()) == 200
    assert code(mac(body).hex()) == 200
    for wrong in ("", "x", mac(body + b" ").hex(), mac(body, b"").hex()):
        assert code(wrong) == 401


def test_the_key_of_the_signature_may_be_the_hex_part(open_gateway: OpenGateway, body: bytes) -> None:
    gateway = open_gateway(settings=with_hmac(webhook_hmac_key="hex"))
    key = bytes.fromhex(SECRET.removeprefix("whsk_"))
    good = {"x-swap-signature-sha256": mac(body, key).hex()}
    assert gateway.post("/webhooks/swap", content=body, headers=good).status_code == 200
    bad = {"x-swap-signature-sha256": mac(body).hex()}
    assert gateway.post("/webhooks/swap", content=body, headers=bad).status_code == 401


@pytest.mark.parametrize("code", [200, 201, 202, 204])
def test_the_answer_that_swap_wants(open_gateway: OpenGateway, code: int) -> None:
    swap = configure().swap.model_copy(update={"webhook_success_code": code})
    answer = open_gateway(settings=configure(swap=swap)).post("/webhooks/swap", json=message())
    assert answer.status_code == code
    assert answer.content == (b"" if code == 204 else b'{"accepted":true}')


def test_how_far_clocks_may_differ_is_a_setting(open_gateway: OpenGateway) -> None:
    swap = configure().swap.model_copy(update={"webhook_skew_seconds": 0})
    gateway = open_gateway(settings=configure(swap=swap))
    late = message(signed(iat=int(NOW.timestamp()) + 5, exp=int(NOW.timestamp()) + 100))
    assert gateway.post("/webhooks/swap", json=late).status_code == 401


def test_two_passwords_and_two_tokens_count_while_keys_are_changed(open_gateway: OpenGateway) -> None:
    khaos = configure().khaos.model_validate(
        {"channel_user": "khaos", "channel_password": "new", "channel_password_previous": "old"}
    )
    gateway = open_gateway(settings=configure(khaos=khaos, inspection_token="new", inspection_token_previous=TOKEN))
    assert [gateway.get("/khaos/config", auth=("khaos", word)).status_code for word in ("new", "old", "", "older")] == [
        200, 200, 401, 401,
    ]  # fmt: skip
    for word, expected in (("new", 200), (TOKEN, 200), ("", 401), ("older", 401)):
        headers = {"authorization": f"Bearer {word}"}
        assert gateway.post("/inspections", json=finding(), headers=headers).status_code == expected


def figures(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_tell_what_waits_and_what_was_refused(gateway: Gateway, database: Any) -> None:
    gateway.post("/webhooks/swap", json=message())
    gateway.post("/webhooks/swap", content=b"{")
    found = figures(gateway.get("/metrics").text)
    assert found["khaos_swap_waiting", (("queue", "knocks"),)] == 1
    assert found["khaos_swap_refused_messages", (("reason", "the body is no JSON"),)] == 1
    assert found["khaos_swap_database_up", ()] == 1
    labels = (("method", "POST"), ("route", "/webhooks/swap"), ("status", "400"))
    assert found["khaos_swap_requests_total", labels] >= 1


def test_without_a_database_the_figures_say_so(open_gateway: OpenGateway) -> None:
    def refuse() -> psycopg.Connection[Any]:
        raise StoreError("down")

    answer = open_gateway(connect=refuse).get("/metrics")
    assert answer.status_code == 200
    assert figures(answer.text)["khaos_swap_database_up", ()] == 0


@pytest.mark.parametrize(("host", "code"), [("10.0.0.7", 200), ("127.0.0.1", 200), ("8.8.8.8", 403), ("x", 403)])
def test_figures_are_for_the_private_network(open_gateway: OpenGateway, host: str, code: int) -> None:
    named = configure(gateway_metrics_from="127.0.0.1, 10.0.0.0/8, 8.8.8.8")
    assert open_gateway(host=host, settings=named).get("/metrics").status_code == code


@pytest.mark.parametrize("named", ["", "10.0.5.9", "192.168.0.0/16,::1", "x"])
def test_a_proxy_that_adds_no_header_shows_the_figures_to_nobody(open_gateway: OpenGateway, named: str) -> None:
    for proxy in ("127.0.0.1", "10.0.0.7"):
        gateway = open_gateway(host=proxy, settings=configure(gateway_metrics_from=named))
        assert gateway.get("/metrics").status_code == 403
