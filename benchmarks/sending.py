"""A sender of webhooks that is faster than any gateway: raw HTTP over kept connections, in a process of its own.

Belongs here: making signed webhooks, sending them as fast or as evenly as asked, and what came back when. Stays out:
what is measured with it (``gateway_load``, the proofs). ``python -m benchmarks.sending '{...}'`` prints one JSON line.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import hmac
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STORE = "st_bench"
SECRET = "whsk_62656e63686d61726b2d6f6e6c79"
PRODUCT = {
    "product_id": "prod_1", "shopify_product_id": "7712345678901", "shopify_variant_id": "43212345678901",
    "shopify_line_item_id": "13780021000000", "order_number": "LX10482", "original_order_name": "#LX10482",
    "date": "23 Sept 2025, 14:52:21", "product_name": "Fell Waterproof Jacket", "variant_name": "Moss / M",
    "full_sku_description": "Fell Waterproof Jacket Moss / M", "sku": "FELL-JKT-MOS-M", "main_reason_text": "Too small",
    "comments": "It was a gift", "item_count": 1, "cost": 84.99, "return_type": "Refund", "currency": "GBP",
    "grams": 640, "is_faulty": False, "refunded_taxes": 14.17,
}  # fmt: skip
ADDRESS = {"name": "Priya Nolan", "address1": "14 Quarry Lane", "city": "Matlock", "postcode": "DE4 3AA"}
RETURN = {
    "rma_number": "20417", "return_id": "@", "order_id": "5903347716233", "shopify_order_name": "#LX10482",
    "return_status": "Closed", "delivery_status": "Delivered", "type": ["Refund"], "type_string": "Refund",
    "total": 81.05, "customer_currency": "GBP", "customer_name": "Priya Nolan", "customer_email": "p.n@example.com",
    "total_refund_value_customer_currency": 81.05, "billing_address": ADDRESS, "shipping_address": ADDRESS,
    "products": [PRODUCT, PRODUCT], "exchange_products": [], "return_shipments": [], "result_type": "Refund",
}  # fmt: skip


@dataclass
class Sent:
    """What a sender saw: seconds it took, answers by status, and milliseconds of each answer.

    With a rate an answer is timed from when its message was due, so that whatever held it up counts. ``late`` is what
    of that the sender itself overslept, in milliseconds.
    """

    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Rate of accepted messages a second, statuses, and percentiles of the time to answer."""
        at = {"p50_ms": percentile(self.milliseconds, 0.5), "p99_ms": percentile(self.milliseconds, 0.99)}
        own = {"sender_late_p99_ms": percentile(self.late, 0.99)} if self.late else {}
        rate = round(self.statuses["200"] / self.seconds, 1) if self.seconds else 0.0
        return {"a_second": rate, **at, **own, "statuses": dict(self.statuses), "seconds": round(self.seconds, 2)}


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; 0 of none."""
    ordered = sorted(values) or [0.0]
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


def token(claims: dict[str, Any], secret: str = SECRET) -> str:
    """An HS256 token, made by hand since a library would cost the sender more than sending."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, claims)]
    mark = hmac.new(secret.encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(mark).rstrip(b"=")]).decode()


def webhook(return_id: str, *, now: int, event: str = "returnProcessed") -> bytes:
    """The body of one genuine webhook."""
    claims = {
        "iat": now, "exp": now + 300, "nonce": return_id, "event": event, "return_id": return_id,
        "order_id": RETURN["order_id"], "store_id": STORE,
    }  # fmt: skip
    return json.dumps({"jwt": token(claims), "return": {**RETURN, "return_id": return_id}}).encode()


def request(body: bytes) -> bytes:
    """The bytes of one POST."""
    head = f"POST /webhooks/swap HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


@dataclass
class Wire:
    """One kept connection, opened again when it broke."""

    port: int
    patience: float = 10.0
    _pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> int:
        """The status of the answer; 0 when there was none in time."""
        try:
            async with asyncio.timeout(self.patience):
                if self._pair is None or self._pair[0].at_eof():
                    self.close()
                    self._pair = await asyncio.open_connection("127.0.0.1", self.port)
                reader, writer = self._pair
                writer.write(request(body))
                return int(await _answer(reader))
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            self.close()
            return 0

    def close(self) -> None:
        """Give the connection up."""
        if self._pair is not None:
            self._pair[1].close()
        self._pair = None


async def send(port: int, bodies: Iterator[bytes], *, lines: int, seconds: float, rate: float = 0) -> Sent:
    """Send until the bodies or the seconds run out; with ``rate`` evenly so many a second over all lines."""
    sent, began = Sent(), time.perf_counter()
    gap = lines / rate if rate else 0.0

    async def line(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        due = time.perf_counter() + gap * number / lines
        while time.perf_counter() - began < seconds and (body := next(bodies, None)) is not None:
            if gap and (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
                sent.late.append((time.perf_counter() - due) * 1000)
            start = due if gap else time.perf_counter()
            due += gap
            writer.write(body)
            sent.statuses[await _answer(reader)] += 1
            sent.milliseconds.append((time.perf_counter() - start) * 1000)
        writer.close()

    await asyncio.gather(*(line(number) for number in range(lines)))
    sent.seconds = time.perf_counter() - began
    return sent


async def _answer(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return head[9:12].decode()


def main(wish: dict[str, Any]) -> None:
    """Make the bodies first, then send them, then print; no collector of garbage stops the sender meanwhile."""
    now = int(time.time())
    bodies = [request(webhook(f"{wish['prefix']}{number}", now=now)) for number in range(wish["messages"])]
    timing = {name: wish[name] for name in ("lines", "seconds", "rate")}
    gc.disable()
    sent = asyncio.run(send(wish["port"], iter(bodies), **timing))
    sys.stdout.write(json.dumps(sent.figures()) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main(json.loads(sys.argv[1]))
