"""The page of the audit as a web app of this machine: one address that nobody can guess, no page of somebody else.

Belongs here: routes, and what each takes and gives. Stays out: the files and the audit (``desk``), starting and ending
(``serving``), and how the page looks (``page.html``).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, Response
from pydantic import BaseModel

from khaos_swap_assets import told_errors
from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.files.faults import BadInputError, of_file
from khaos_swap_assets.audit.control import expected_pence
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit_page.desk import KINDS, Desk, is_complete
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import VatPeriods, VatPeriodsName, london_date
from khaos_swap_assets.domain.refunds.payments import PaymentKinds

ADVICE = {
    404: "Open the address that khaos-swap audit --open printed in the terminal, and run the audit from there.",
    405: "Open the page itself, and use its buttons.",
    413: "Audit it by khaos-swap audit in a terminal, which takes files of any size.",
    422: "Load the page again and drop the file once more.",
    500: "Load the page again and drop the files once more; if it stays, send what stands in the terminal to whoever "
    "looks after Khaos Swap.",
}
MOST_BYTES = 2_000_000_000
REPORTS = (
    "report.html",
    "report.xlsx",
    "reconciliation.csv",
    "exceptions.csv",
    "summary.json",
    "decisions.csv",
    "rejected.csv",
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
REPORT_HEADERS = {**HEADERS, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


class AuditRequest(BaseModel):
    """What a person says beside the files; totals are amounts as text, by kind of file."""

    as_of: date | None = None
    dates: Literal["", "uk", "us"] = ""
    skips_bad_rows: bool = False
    totals: dict[str, str] = {}
    vat_periods: VatPeriodsName = "monthly"
    payment_kinds: str = ""


def make_app(desk: Desk, key: str) -> FastAPI:
    """The app of one desk, all of it under ``/key/``."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(pages(desk), prefix=f"/{key}")
    app.include_router(work(desk), prefix=f"/{key}")
    told_errors.serve(app, ADVICE)
    return app


def pages(desk: Desk) -> APIRouter:
    """What is looked at: the page, how far the work is, the reports."""
    router, own = APIRouter(), Path(__file__)

    @router.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(own.with_name("page.html").read_text(encoding="utf-8"), headers=HEADERS)

    @router.get("/page.js")
    def script() -> Response:
        return Response(own.with_name("page.js").read_text(encoding="utf-8"), media_type="text/javascript")

    @router.get("/progress")
    def progress() -> dict[str, Any]:
        step, share = desk.step
        return {"step": step, "share": share}

    @router.get("/report/{name}")
    def report(name: str) -> FileResponse:
        if name not in REPORTS or not (desk.out / name).is_file():
            raise HTTPException(404, "there is no such report: run the audit first")
        if name == "report.html":
            return FileResponse(desk.out / name, headers=REPORT_HEADERS)
        return FileResponse(desk.out / name, filename=name, headers=HEADERS)

    return router


def work(desk: Desk) -> APIRouter:
    """What is done: taking a file, saying what its headings mean, forgetting it, the audit."""
    router = APIRouter()

    @router.put("/files/{kind}")
    async def take(kind: str, name: str, request: Request) -> dict[str, Any]:
        try:
            path = desk.place(known(kind), name)
        except ValueError as error:
            raise HTTPException(422, f"the file {error}") from None
        await kept(request, path)
        return await run_in_threadpool(desk.take, kind, path)

    @router.put("/files/{kind}/headings")
    def mapped(kind: str, headings: Annotated[dict[str, str], Body()]) -> dict[str, Any]:
        if known(kind) not in desk.files:
            raise HTTPException(409, "the file is not there: drop it first")
        return desk.mapped(kind, headings)

    @router.delete("/files/{kind}")
    def forget(kind: str) -> None:
        desk.forget(known(kind))

    @router.post("/audit")
    def audit(asked: AuditRequest) -> dict[str, Any]:
        return audited(desk, asked)

    return router


def known(kind: str) -> str:
    """The kind of a file that an audit takes."""
    if kind not in KINDS:
        raise HTTPException(404, f"no such kind of file; known are {', '.join(KINDS)}")
    return kind


async def kept(request: Request, path: Path) -> None:
    """Write the body to a file as it comes; one that is too large leaves nothing."""
    left = MOST_BYTES
    with path.open("wb") as file:
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                break
            await run_in_threadpool(partial(file.write, chunk))
    if left < 0:
        path.unlink()
        raise HTTPException(413, f"the file is larger than {MOST_BYTES // 10**9} GB: audit it by khaos-swap audit")


def audited(desk: Desk, asked: AuditRequest) -> dict[str, Any]:
    """Run the audit; what is wrong with the files, or the headline and the names of the reports."""
    if not is_complete(desk):
        return {"faults": ["A file is missing or cannot be read yet: look at the cards above"]}
    desk.dates = asked.dates
    try:
        totals = {kind: total_of(kind, text) for kind, text in asked.totals.items() if text.strip()}
        day = asked.as_of or london_date(datetime.now(UTC))
        span = Span(day, vat_periods=VatPeriods(asked.vat_periods))
        done = desk.audit(span, totals, kinds_of(asked.payment_kinds), skips_bad_rows=asked.skips_bad_rows)
    except BadInputError as error:
        return {"faults": str(error).splitlines()}
    except KhaosSwapError as error:
        return {"faults": [str(error)]}
    finally:
        desk.step = ("", 0.0)
    headlines = [
        f"{format_money(one.open.pence, one.currency)} in {one.open.count:,} returns and Credit Notes"
        for one in done.summary.totals
        if one.open.count or one is done.summary.totals[0]
    ]
    return {
        "headlines": headlines,
        "not_compared": list(done.summary.not_compared),
        "decided": [
            f"{format_money(one.decided.pence, one.currency)} decided by people, in {one.decided.count:,} of the rows"
            for one in done.summary.totals
            if one.decided.count
        ],
        "no_longer": [
            f"{one.decision.words} ({one.decision.subject}): {one.why}" for one in done.summary.rulings if one.why
        ],
        "reports": [path.name for path in done.paths],
    }


def kinds_of(text: str) -> PaymentKinds:
    """What a person says of gateways. Raises ``BadInputError``."""
    try:
        return PaymentKinds.of(",".join(filter(None, (part.strip() for part in text.split(",")))))
    except ValueError as error:
        raise BadInputError([of_file("Means of payment", "", text, str(error))]) from None


def total_of(kind: str, text: str) -> int:
    """What a person expects of a file, in pence. Raises ``BadInputError`` naming the file."""
    try:
        return expected_pence(kind, text)
    except ValueError as error:
        raise BadInputError([of_file(f"The total of {kind}", "", text, str(error))]) from None
