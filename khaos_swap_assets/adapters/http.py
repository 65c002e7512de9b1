"""One HTTP session for each vendor: every failure is classified here, once, at the wire.

Belongs here: sending, the rate limit, repeats of reads, and the words of an error. Stays out: the bounds of size and
time (``exchange``), what an answer means (``adapters.swap``, ``adapters.khaos``). A read is repeated; a write never
is, and a write whose answer got lost raises ``InDoubtError``. No error holds a header, a query value or a secret.
Source: DESIGN §4, contracts/swap.md §9.3, §9.4, contracts/khaos.md §5.3, §13.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from types import TracebackType
from typing import Self, TypeAlias

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random,
    wait_random_exponential,
)

from khaos_swap_assets.adapters import exchange, failures
from khaos_swap_assets.adapters.errors import (
    InDoubtError,
    PermanentError,
    SettingsError,
    TooLargeError,
    TransientError,
)
from khaos_swap_assets.adapters.rate import RateLimit
from khaos_swap_assets.adapters.settings import LOOPBACK

MAX_BYTES = 20 * 1024 * 1024
MAX_WAIT_SECONDS = 120.0
REASON_LENGTH = 200
DECODED_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
UNUSABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
JITTER = wait_random(0, 0.25)
BACKOFF = wait_random_exponential(multiplier=0.5, max=30)

Verify: TypeAlias = ssl.SSLContext | bool
Auth: TypeAlias = tuple[str, str] | httpx.Auth
Check: TypeAlias = Callable[[httpx.Response], None]
Accept: TypeAlias = Callable[[httpx.Response], bool]
Params: TypeAlias = Mapping[str, str | int]


class _AskedToWaitError(TransientError):
    """The vendor said how many seconds to wait before the next call."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class Http:
    """A session with one vendor over ``httpx.Client``.

    ``timeout`` is seconds for a whole exchange, ``retries`` the repeats of a read, ``rate`` calls a second (None: no
    limit), ``hints`` what a person should do about a status. ``sleep``, ``clock`` (monotonic seconds) and the network
    (``transport``) are replaceable.
    A base URL or header that cannot be used raises ``SettingsError``.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        retries: int = 3,
        rate: float | None = None,
        verify: Verify = True,
        auth: Auth | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        max_bytes: int = MAX_BYTES,
        hints: Mapping[int, str] | None = None,
    ) -> None:
        self._timeout, self._retries, self._max_bytes = timeout, retries, max_bytes
        self._sleep, self._clock = sleep, clock
        self._hints = dict(hints or {})
        self._rate = RateLimit(rate, clock=clock, sleep=sleep) if rate else None
        self._secrets = _secrets(headers or {}, auth)
        self._client = _client(base_url, dict(headers or {}), timeout, verify, auth, transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Accept | None = None,
        check: Check | None = None,
    ) -> httpx.Response:
        """Ask for something that changes nothing; repeated after 429, 5xx, timeouts and broken connections.

        ``accept`` says which answers of an error status are answers all the same (a SOAP fault). ``check`` looks at
        each answer and may raise ``TransientError`` to have the call repeated (a body that was cut off).
        Raises ``TransientError`` after the last repeat, ``PermanentError`` where repeating does not help.
        """

        def once() -> httpx.Response:
            answer = self._send(method, path, params, content, headers, is_write=False)
            self._judge(answer, accept, is_write=False)
            if check:
                check(answer)
            return answer

        return self._retrying()(once)

    def write(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Accept | None = None,
    ) -> httpx.Response:
        """Change something: sent once, never repeated.

        Raises ``InDoubtError`` when it may have happened (timeout, lost answer, 408, 5xx), ``TransientError`` when it
        certainly did not (no connection, 429), ``PermanentError`` when it was refused.
        """
        answer = self._send(method, path, params, content, headers, is_write=True)
        self._judge(answer, accept, is_write=True)
        return answer

    def _retrying(self) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(self._retries + 1),
            wait=_wait,
            retry=retry_if_exception_type(TransientError),
            sleep=self._sleep,
            reraise=True,
        )

    def _send(
        self,
        method: str,
        path: str,
        params: Params | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        *,
        is_write: bool,
    ) -> httpx.Response:
        if self._rate:
            self._rate.wait()
        where = f"{method} {self._client.base_url.path}{path.partition('?')[0].lstrip('/')}"
        try:
            request = self._client.build_request(method, path, params=params, content=content, headers=headers)
            return self._receive(request)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            lost = self._lost(where, error, is_write=is_write)
            lost.place = self._place if isinstance(error, UNSENT) or failures.is_distrust(error) else ""
            raise lost from None

    @property
    def _place(self) -> str:
        url = self._client.base_url
        return f"{url.host}:{url.port or {'https': 443}.get(url.scheme, 80)}"

    def _receive(self, request: httpx.Request) -> httpx.Response:
        """Read the whole answer, within the size and the time that one exchange may take."""
        until = self._clock() + self._timeout

        def check() -> None:
            if self._clock() > until:
                raise httpx.ReadTimeout("still sending", request=request)

        with exchange.within(self._timeout):
            answer = self._client.send(request, stream=True)
            try:
                body = exchange.body_of(answer, self._max_bytes, check)
            finally:
                answer.close()
        headers = [(name, value) for name, value in answer.headers.multi_items() if name not in DECODED_HEADERS]
        return httpx.Response(answer.status_code, headers=headers, content=body, request=request)

    def _lost(
        self, where: str, error: httpx.RequestError | httpx.InvalidURL, *, is_write: bool
    ) -> PermanentError | TransientError | InDoubtError:
        """Classify a call that got no whole answer."""
        text = f"{where}: {self._safe(failures.words(error))}"
        if isinstance(error, UNUSABLE) or failures.is_distrust(error):
            return PermanentError(text)
        if is_write and not isinstance(error, UNSENT):
            return InDoubtError(f"{text}; it may or may not have happened")
        if isinstance(error, exchange.TooLongError):
            return TooLargeError(text)
        return PermanentError(text) if isinstance(error, exchange.RefusedAnswerError) else TransientError(text)

    def _judge(self, answer: httpx.Response, accept: Accept | None, *, is_write: bool) -> None:
        """Raise what an answer of an error status means."""
        if answer.is_success or (accept and accept(answer)):
            return
        status = answer.status_code
        where = f"{answer.request.method} {answer.request.url.path}"
        text = f"{where}: {status} {self._safe(failures.reason(answer))}".rstrip()
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise self._busy(text, answer)
        if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
            if is_write:
                raise InDoubtError(f"{text}; it may or may not have happened")
            raise self._busy(text, answer)
        raise PermanentError(f"{text}; {self._hints[status]}" if status in self._hints else text)

    def _busy(self, text: str, answer: httpx.Response) -> TransientError:
        seconds = failures.retry_after(answer)
        if seconds is None:
            return TransientError(text)
        if seconds > MAX_WAIT_SECONDS:
            return TransientError(f"{text}; asked to wait {seconds:.0f} s")
        return _AskedToWaitError(text, seconds)

    def _safe(self, text: str) -> str:
        """One short line without our secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
        return line[:REASON_LENGTH]


@cache
def public_authorities() -> ssl.SSLContext:
    """Whom a session trusts that is told nothing else; read once, as to read them takes longer than a call."""
    return httpx.create_ssl_context()


def _client(
    base_url: str,
    headers: dict[str, str],
    timeout: float,
    verify: Verify,
    auth: Auth | None,
    transport: httpx.BaseTransport | None,
) -> httpx.Client:
    """Open the session. A proxy named by the environment is not asked for loopback addresses."""
    try:
        url = httpx.URL(base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise SettingsError(f"not a usable http or https URL: {base_url!r}")
        client = httpx.Client(
            base_url=url,
            headers={"accept-encoding": "gzip", **headers},
            timeout=timeout,
            verify=public_authorities() if verify is True and transport is None else verify,
            auth=auth,
            transport=transport,
            trust_env=url.host not in LOOPBACK,
        )
        return exchange.bound(client)
    except httpx.InvalidURL as error:
        raise SettingsError(f"not a usable URL: {base_url!r} ({error})") from None
    except UnicodeEncodeError:
        raise SettingsError("a key or password holds characters that HTTP headers cannot carry") from None


def _secrets(headers: Mapping[str, str], auth: Auth | None) -> tuple[str, ...]:
    words = [*headers.values(), *(auth[1:] if isinstance(auth, tuple) else ())]
    return tuple(sorted((word for word in words if len(word) >= 4), key=len, reverse=True))


def _wait(state: RetryCallState) -> float:
    """Seconds until the next try: as asked, else growing with jitter."""
    error = state.outcome.exception() if state.outcome else None
    return error.seconds + JITTER(state) if isinstance(error, _AskedToWaitError) else BACKOFF(state)
