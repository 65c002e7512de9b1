"""What a vendor's "no" about one record or one operation means for a run: it is kept and shown, and all else goes on.

Belongs here: telling answers from refusals, keeping them, and the exceptions that they are. Stays out: the calls
(``adapters``), the table (``adapters.store.setbacks``) and faults of our own (``stages.isolating``).
The list of returns and the status feed are mandatory: while one of them is refused a run goes on with what is known,
closes no exception and counts as incomplete, so no document leaves. A vendor that answers nothing fails the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from khaos_swap_assets.adapters.errors import PermanentError, VendorError
from khaos_swap_assets.adapters.khaos import capabilities
from khaos_swap_assets.adapters.khaos.wire import RefusedKey
from khaos_swap_assets.adapters.store import Conn, setbacks
from khaos_swap_assets.adapters.store.setbacks import WHOLE
from khaos_swap_assets.domain.exceptions.catalogue import Problem

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault

SWAP_LIST = "Swap list of returns"
SWAP_RETURN = "Swap return by RMA"
SWAP_COUNTS = "Swap counts of returns"
QUALITY = "Swap quality control"
STOCK_LIST = "Khaos GetStockList"
STOCK = "Khaos ExportStock"
LEVELS = "Khaos ExportStockStatus"
LEVELS_ASIDE = "Khaos ExportStockStatus of the site of goods that may not be sold"
LEVELS_SET = "Khaos ImportStockStatus"
IMPORT_FOLDER = "Khaos folder of the import screen"
STATUSES = "Khaos ExportOrderStatusEx"
SEARCHES = "Khaos ExportOrderStatusEx by customer"
ORDERS = "Khaos ExportOrders"
NOTES = "Khaos ExportOrders by Credit Note"
COMPANIES = "Khaos GetCompanyInfo"
CANCELLATIONS = "Khaos ExportOrderStatusEx of cancelled orders"
STOREFRONT = "Storefront refunds"
PAYOUTS = "Storefront payouts"
VARIANTS = "Storefront variants"

MANDATORY = (SWAP_LIST, STATUSES, SEARCHES)
VENDORS = ("Swap ", "Khaos ", "Storefront ")
KINDS = ("record_refused", "source_refused", "fault_in_return")
HOPELESS = 5

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Heard(Generic[Answer]):
    """What came of asking about records one by one: answers and reasons by subject; those after a stop are in neither.

    ``is_hopeless``: so many refusals in a row that the operation, not a record, is the trouble.
    """

    answers: dict[str, Answer]
    refused: dict[str, str]
    is_hopeless: bool = False


def hear(asked: Iterable[tuple[str, Answer | VendorError]]) -> Heard[Answer]:
    """Sort answers from refusals, and stop asking after five in a row without an answer."""
    answers: dict[str, Answer] = {}
    refused: dict[str, str] = {}
    in_a_row = 0
    for subject, found in asked:
        if isinstance(found, VendorError):
            refused[subject] = str(found)
            in_a_row += 1
        else:
            answers[subject] = found
            in_a_row = 0
        if in_a_row == HOPELESS:
            break
    return Heard(answers, refused, in_a_row == HOPELESS)


def hear_each(subjects: Iterable[str], ask: Callable[[str], Answer]) -> Heard[Answer]:
    """``hear`` of asking about subjects one by one."""
    return hear((one, _asked(ask, one)) for one in subjects)


def _asked(ask: Callable[[str], Answer], subject: str) -> Answer | VendorError:
    try:
        return ask(subject)
    except VendorError as error:
        return error


def keep(conn: Conn, operation: str, heard: Heard[Answer], khaos: KhaosClient, now: datetime) -> None:
    """Keep each refusal with its record, and end those of records that were answered.

    Where nothing was answered and the WSDL lacks the operation, or too many refusals came in a row, it is the operation
    that is refused.
    """
    if heard.answers:
        setbacks.over(conn, [operation], [*heard.answers, WHOLE])
    elif heard.refused:
        is_missing = not khaos.offers(_method(operation))
        if is_missing or heard.is_hopeless:
            setbacks.keep(conn, operation, {WHOLE: next(iter(heard.refused.values()))}, now)
        if is_missing:
            return
    setbacks.keep(conn, operation, heard.refused, now)


def keep_named(conn: Conn, named: Heard[Answer], now: datetime) -> None:
    """Keep what Swap said of single RMAs."""
    setbacks.over(conn, [SWAP_RETURN], named.answers)
    setbacks.keep(conn, SWAP_RETURN, named.refused, now)


def keep_keys(
    conn: Conn,
    operation: str,
    asked: Sequence[str],
    faults: Sequence[KhaosRowFault],
    khaos: KhaosClient,
    now: datetime,
) -> list[KhaosRowFault]:
    """Keep the keys of a gathering that were refused, end the setbacks of the others; the faults of other sorts."""
    refused = {one.subject: one.reason for one in faults if isinstance(one, RefusedKey)}
    answered = [one for one in asked if one not in refused]
    if refused and not answered and not khaos.offers(_method(operation)):
        keep_whole(conn, operation, PermanentError(next(iter(refused.values()))), now)
    elif asked:
        setbacks.over(conn, [operation], [*answered, WHOLE])
        setbacks.keep(conn, operation, refused, now)
    return [one for one in faults if not isinstance(one, RefusedKey)]


def keep_whole(
    conn: Conn,
    operation: str,
    error: VendorError | None,
    now: datetime,
    *,
    longest: timedelta = setbacks.LONGEST_PAUSE,
) -> None:
    """Keep that an operation was refused, or that it was answered."""
    if error is None:
        setbacks.over(conn, [operation], [WHOLE])
    else:
        setbacks.keep(conn, operation, {WHOLE: str(error)}, now, longest=longest)


def not_seen(conn: Conn) -> list[str]:
    """The mandatory operations that are refused now: what they hold is not seen, so nothing may be taken as gone."""
    return [one.operation for one in setbacks.standing(conn) if is_mandatory(one.operation) and one.subject == WHOLE]


def is_mandatory(operation: str) -> bool:
    """True for an operation without which a run does not see all; the list of each further store is one too."""
    return operation in MANDATORY or is_of_store(operation)


def is_of_store(operation: str) -> bool:
    """True for the list of a further store's returns."""
    return operation.startswith(f"{SWAP_LIST} of ")


def problems(conn: Conn) -> list[Problem]:
    """The exceptions that all setbacks are. An optional operation may be missing for ever, without any."""
    found = setbacks.standing(conn)
    whole = {one.operation for one in found if one.subject == WHOLE}
    optional = {one for one in whole if one.startswith("Khaos ") and _method(one) in capabilities.OPTIONAL}
    told: dict[tuple[str, str], Problem] = {}
    for one in found:
        if one.operation not in (optional if one.subject == WHOLE else whole):
            fresh = _problem(one)
            known = told.get(key := (fresh.kind, fresh.subject))
            told[key] = replace(known, message=f"{known.message}; {fresh.message}") if known else fresh
    return list(told.values())


def _method(operation: str) -> str:
    """The name of an operation in Khaos's WSDL."""
    return operation.split()[1]


def _problem(one: setbacks.Setback) -> Problem:
    tried = f"{one.reason}; tried {one.attempts} times since {one.first_at:%Y-%m-%d %H:%M} UTC"
    if not one.operation.startswith(VENDORS):
        return Problem(
            kind="fault_in_return", subject=one.rma or one.subject, message=f"{one.operation}: {tried}",
            return_id=one.subject, rma=one.rma, money_at_risk_pence=one.refund_pence, currency=one.currency,
        )  # fmt: skip
    if one.subject != WHOLE:
        return Problem("record_refused", f"{one.operation} {one.subject}", tried)
    meanwhile = "; no exception is closed and no document leaves meanwhile" if is_mandatory(one.operation) else ""
    meanwhile = f"{meanwhile} of this store's returns" if is_of_store(one.operation) else meanwhile
    return Problem("source_refused", one.operation, f"{tried}{_follows(one.operation)}{meanwhile}")


def _follows(operation: str) -> str:
    consequence = capabilities.REQUIRED.get(_method(operation), "") if operation.startswith("Khaos ") else ""
    return f"; {consequence}" if consequence else ""
