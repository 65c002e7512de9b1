"""What a failed call says about itself.

Belongs here: reading a reason and a waiting time out of a failed HTTP call. Stays out: what follows from it, and
cutting secrets out of it (``adapters.http``). Source: contracts/swap.md §9.3, contracts/khaos.md §5.3.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import httpx

from khaos_swap_assets.adapters import json_text

LONGEST_REASON = 64 * 1024


def words(error: httpx.RequestError | httpx.InvalidURL) -> str:
    """What went wrong, in words that cannot hold a header."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.LocalProtocolError):
        return "a header or the URL cannot be sent; look at the key and the URL"
    if is_distrust(error):
        return f"the certificate is not trusted ({error})"
    return f"{error}" or type(error).__name__


def is_distrust(error: Exception) -> bool:
    """True where the vendor's certificate was refused: asking again will not help."""
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def reason(answer: httpx.Response) -> str:
    """The vendor's own short message: ``error.message``, ``message`` (text or list), else the standard phrase."""
    try:
        body = json_text.loads(answer.content[:LONGEST_REASON])
    except ValueError:
        return answer.reason_phrase
    if not isinstance(body, dict):
        return answer.reason_phrase
    error = body.get("error")
    message = (error.get("message") if isinstance(error, dict) else None) or body.get("message") or error
    found = message if isinstance(message, list) else [message]
    return ", ".join(str(word) for word in found if isinstance(word, str)) or answer.reason_phrase


def retry_after(answer: httpx.Response) -> float | None:
    """Seconds to wait by the Retry-After header: a number, or a date measured from the answer's own Date."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until, since = parsedate_to_datetime(text), parsedate_to_datetime(answer.headers.get("date", ""))
        return max(0.0, (until - since).total_seconds())
    except (ValueError, TypeError):
        return None
