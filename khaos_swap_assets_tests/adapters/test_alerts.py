"""Alerts against a receiver on this machine."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from khaos_swap_assets.adapters import alerts
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.domain.exceptions.catalogue import Problem

Messages = list[dict[str, Any]]


class Receiver(HTTPServer):
    """Takes what apprise posts; refuses it under /refuse."""

    def __init__(self) -> None:
        self.messages: Messages = []
        super().__init__(("127.0.0.1", 0), Taking)

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server_port}"


class Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.messages.append(json.loads(body))
        self.send_response(500 if self.path.startswith("/refuse") else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings(*addresses: str) -> Settings:
    return Settings.model_validate({"alert_urls": ", ".join(addresses)})


def unknown_sku(rma: str, sku: str) -> Problem:
    said = f"No Stock Code equals the SKU {sku}"
    return Problem("sku_unknown", f"{rma}/{sku}", said, rma=rma, sku=sku, suggestion="TEE-NVY-M")


def test_a_message_reaches_every_address(receiver: Receiver) -> None:
    assert alerts.send(settings(receiver.address, f"{receiver.address}/two"), "sync failed", "Swap is out")
    assert [(one["title"], one["message"]) for one in receiver.messages] == [("sync failed", "Swap is out")] * 2


def test_no_address_is_no_alert() -> None:
    assert not alerts.send(settings(), "sync failed", "Swap is out")


@pytest.mark.parametrize("wrong", ["carrier-pigeon://s3cret", "json://127.0.0.1:9/s3cret"])
def test_what_cannot_be_sent_is_a_line_without_its_address(
    receiver: Receiver, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert not alerts.send(settings(wrong, receiver.address), "sync failed", "Swap is out")
    assert len(receiver.messages) == 1
    assert "could not be sent to every address of KHAOS_SWAP_ALERT_URLS: sync failed" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_receiver_that_refuses_counts_as_not_sent(receiver: Receiver) -> None:
    assert not alerts.send(settings(f"{receiver.address}/refuse"), "sync failed", "Swap is out")


def test_unknown_addresses_are_told_by_their_place(receiver: Receiver) -> None:
    wrong = settings("pigeon://roof", receiver.address, "", "owl://tower")
    assert alerts.unknown_addresses(wrong) == [1, 3]
    assert alerts.unknown_addresses(settings()) == []


def test_one_message_a_sku_names_all_that_wait_for_it(receiver: Receiver) -> None:
    problems = [unknown_sku("RMA-2", "TEE NVY M"), unknown_sku("RMA-1", "TEE NVY M"), unknown_sku("RMA-3", "")]
    assert alerts.send_problems(settings(receiver.address), problems) == 2
    by_title = {one["title"]: one["message"] for one in receiver.messages}
    assert set(by_title) == {"sku_unknown: TEE NVY M", "sku_unknown: (empty SKU)"}
    told = by_title["sku_unknown: TEE NVY M"]
    assert "Waiting: RMA-1, RMA-2" in told
    assert "Perhaps: TEE-NVY-M" in told
    assert problems[0].action in told
