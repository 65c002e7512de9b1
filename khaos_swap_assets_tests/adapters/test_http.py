"""The wire: what each failure is called, what is repeated, and what an error may say."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, SettingsError, TransientError, VendorError
from khaos_swap_assets.adapters.http import Http, public_authorities
from khaos_swap_assets.adapters.rate import RateLimit

KEY = "sk_live_topsecret"


class Wire:
    """A network that answers from a list and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.requests, self.naps = list(answers), list[httpx.Request](), list[float]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def http(self, **options: Any) -> Http:
        settings: dict[str, Any] = {"headers": {"x-api-key": KEY}, "retries": 2, "sleep": self.naps.append} | options
        return Http("https://vendor.example/api", transport=httpx.MockTransport(self), **settings)


def body(status: int, **options: Any) -> httpx.Response:
    return httpx.Response(status, **options)


FAILURES: list[tuple[httpx.Response | Exception, type[VendorError], type[VendorError]]] = [
    (body(301), PermanentError, PermanentError),
    (body(400), PermanentError, PermanentError),
    (body(401), PermanentError, PermanentError),
    (body(404), PermanentError, PermanentError),
    (body(408), TransientError, InDoubtError),
    (body(429), TransientError, TransientError),
    (body(500), TransientError, InDoubtError),
    (body(503), TransientError, InDoubtError),
    (httpx.ConnectError("refused"), TransientError, TransientError),
    (httpx.ConnectTimeout("slow"), TransientError, TransientError),
    (httpx.PoolTimeout("busy"), TransientError, TransientError),
    (httpx.ReadTimeout("slow"), TransientError, InDoubtError),
    (httpx.WriteTimeout("slow"), TransientError, InDoubtError),
    (httpx.ReadError("reset"), TransientError, InDoubtError),
    (httpx.RemoteProtocolError("peer closed without the whole body"), TransientError, InDoubtError),
    (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), PermanentError, PermanentError),
    (httpx.LocalProtocolError(f"Illegal header value b'{KEY}\\n'"), PermanentError, PermanentError),
]


@pytest.mark.parametrize(("failure", "on_read", "on_write"), FAILURES, ids=str)
def test_a_failure_has_one_name_on_a_read_and_one_on_a_write(
    failure: httpx.Response | Exception, on_read: type[VendorError], on_write: type[VendorError]
) -> None:
    reading, writing = Wire(failure), Wire(failure)
    with pytest.raises(VendorError) as read:
        reading.http().read("GET", "/returns")
    with pytest.raises(VendorError) as written:
        writing.http().write("POST", "/returns")
    assert isinstance(read.value, on_read)
    assert isinstance(written.value, on_write)
    assert len(reading.requests) == (3 if on_read is TransientError else 1)
    assert len(writing.requests) == 1, "a write is never repeated"
    assert KEY not in f"{read.value}{written.value}"
    assert str(read.value).startswith("GET /api/returns: ")
    assert str(written.value).startswith("POST /api/returns: ")


@pytest.mark.parametrize("failure", [body(429), body(502), httpx.ReadTimeout("x"), httpx.ConnectError("x")], ids=str)
def test_a_read_is_repeated_until_it_succeeds(failure: httpx.Response | Exception) -> None:
    wire = Wire(failure, failure, body(200, text="ok"))
    assert wire.http().read("GET", "/returns").text == "ok"
    assert len(wire.naps) == 2
    assert all(0 <= nap <= 30 for nap in wire.naps)


def test_no_retries_means_one_call() -> None:
    wire = Wire(body(500))
    with pytest.raises(TransientError):
        wire.http(retries=0).read("GET", "/returns")
    assert len(wire.requests) == 1
    assert wire.naps == []


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "7"}, 7, 7.25),
        ({"retry-after": "0"}, 0, 0.25),
        ({"retry-after": "Mon, 02 Mar 2026 10:00:09 GMT", "date": "Mon, 02 Mar 2026 10:00:00 GMT"}, 9, 9.25),
        ({"retry-after": "Mon, 02 Mar 2026 09:00:00 GMT", "date": "Mon, 02 Mar 2026 10:00:00 GMT"}, 0, 0.25),
        ({"retry-after": "Mon, 02 Mar 2026 10:00:09 GMT"}, 0, 30),
        ({"retry-after": "soon"}, 0, 30),
        ({}, 0, 30),
    ],
)
def test_the_wait_that_the_vendor_asks_for_is_kept(headers: dict[str, str], least: float, most: float) -> None:
    wire = Wire(body(429, headers=headers), body(200))
    wire.http().read("GET", "/returns")
    assert least <= wire.naps[0] <= most


def test_a_wait_of_hours_is_reported_and_not_slept() -> None:
    wire = Wire(body(429, headers={"retry-after": "7200"}))
    with pytest.raises(TransientError, match="asked to wait 7200 s"):
        wire.http().read("GET", "/returns")
    assert sum(wire.naps) < 100


def test_an_accepted_error_status_is_an_answer() -> None:
    wire = Wire(body(500, text="<Fault/>"))
    answer = wire.http().read("POST", "/soap", accept=lambda response: "Fault" in response.text)
    assert answer.text == "<Fault/>"
    assert wire.http().write("POST", "/soap", accept=lambda response: True).status_code == 500


def test_a_check_may_ask_for_a_repeat() -> None:
    def whole(answer: httpx.Response) -> None:
        if not answer.text.endswith("}"):
            raise TransientError("cut off")

    wire = Wire(body(200, text='{"a"'), body(200, text='{"a":1}'))
    assert wire.http().read("GET", "/returns", check=whole).json() == {"a": 1}
    with pytest.raises(TransientError, match="cut off"):
        Wire(body(200, text='{"a"')).http().read("GET", "/returns", check=whole)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (body(404, json={"statusCode": 404, "message": "no such store", "error": "Not Found"}), "no such store"),
        (body(400, json={"message": ["page must be >= 1", "store is empty"]}), "page must be >= 1, store is empty"),
        (body(400, json={"error": {"message": "bad date"}}), "bad date"),
        (body(400, json={"error": "Bad thing"}), "Bad thing"),
        (body(400, json=["x"]), "Bad Request"),
        (body(400, json={}), "Bad Request"),
        (body(403, text="<html>no</html>"), "Forbidden"),
        (body(400, json={"message": "a\nb\x1b[31m\u2028c"}), r"a b \[31m c"),
    ],
)
def test_the_error_says_method_path_status_and_the_vendors_reason(answer: httpx.Response, words: str) -> None:
    with pytest.raises(PermanentError, match=rf"^GET /api/v2/returns: {answer.status_code} {words}$"):
        Wire(answer).http().read("GET", "/v2/returns?store=st_1", params=None)


def test_no_error_holds_a_secret_a_query_or_a_long_body() -> None:
    echo = body(401, json={"message": f"key {KEY} and password hunter22 are wrong " + "x" * 5000})
    with pytest.raises(PermanentError) as caught:
        Wire(echo).http(auth=("user", "hunter22")).read("GET", "/returns", params={"customer_email": "a@b.example"})
    text = str(caught.value)
    assert "key *** and password *** are wrong" in text
    assert "a@b.example" not in text
    assert len(text) < 300


def test_an_answer_that_is_too_long_is_refused_without_repeating() -> None:
    wire = Wire(body(200, content=b"x" * 2000))
    with pytest.raises(PermanentError, match="longer than 1000 bytes"):
        wire.http(max_bytes=1000).read("GET", "/returns")
    assert len(wire.requests) == 1
    assert Wire(body(200, content=b"x" * 1000)).http(max_bytes=1000).read("GET", "/returns").content == b"x" * 1000


def test_an_answer_that_drips_is_cut_at_the_timeout() -> None:
    now = iter(range(0, 10_000, 4))

    def drip() -> Iterator[bytes]:
        yield from [b"x"] * 1000

    wire = Wire(httpx.Response(200, content=drip()))
    with pytest.raises(TransientError, match="no answer in time"):
        wire.http(timeout=20, retries=0, clock=lambda: float(next(now))).read("GET", "/returns")


def test_a_compressed_answer_is_read_once() -> None:
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, content=gzip.compress(b'{"a": 1}'))
    assert Wire(packed).http().read("GET", "/returns").json() == {"a": 1}


def test_headers_parameters_and_authorisation_leave_as_given() -> None:
    wire = Wire(body(200))
    wire.http(auth=("u", "p")).read("GET", "/r?at=10:00:00Z", headers={"soapaction": "x"})
    wire.http().read("GET", "/r", params={"page": 2})
    assert wire.requests[0].url.raw_path == b"/api/r?at=10:00:00Z"
    assert wire.requests[0].headers["x-api-key"] == KEY
    assert wire.requests[0].headers["soapaction"] == "x"
    assert wire.requests[0].headers["authorization"].startswith("Basic ")
    assert wire.requests[1].url.query == b"page=2"


@pytest.mark.parametrize(
    "url", ["", "vendor.example", "ftp://vendor.example", "https://", "http://[::1", "https://a:b"]
)
def test_a_url_that_cannot_be_used_is_a_setting_at_fault(url: str) -> None:
    with pytest.raises(SettingsError, match="URL"):
        Http(url)


def test_a_key_that_cannot_be_sent_is_a_setting_at_fault_and_stays_secret() -> None:
    with pytest.raises(SettingsError) as caught:
        Http("https://vendor.example", headers={"x-api-key": "schlüssel-geheim"})
    assert "geheim" not in str(caught.value)


def test_the_environments_proxy_is_not_asked_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with Http("http://127.0.0.1:9", retries=0) as http:
        assert http._client._mounts == {}
    with Http("http://vendor.example", retries=0) as http:
        assert http._client._mounts != {}


@pytest.mark.parametrize(("rate", "naps"), [(1.0, [1.0, 2.0]), (4.0, [0.25, 0.5]), (None, [])])
def test_calls_leave_no_faster_than_the_limit(rate: float | None, naps: list[float]) -> None:
    wire = Wire(body(200))
    http = wire.http(rate=rate, clock=lambda: 50.0)
    for _ in range(3):
        http.read("GET", "/returns")
    assert wire.naps == naps


def test_an_idle_session_does_not_wait() -> None:
    naps: list[float] = []
    times: Iterator[float] = iter([0.0, 10.0, 10.5])
    limit = RateLimit(1.0, clock=lambda: next(times), sleep=naps.append)
    for _ in range(3):
        limit.wait()
    assert naps == [0.5]


def test_the_public_authorities_are_read_once_for_all_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    public_authorities()
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: pytest.fail("read again"))
    for url in ("https://vendor.example", "http://127.0.0.1:9"):
        Http(url).close()
