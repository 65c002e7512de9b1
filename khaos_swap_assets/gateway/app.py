"""The HTTP service of the project: webhooks in, the Khaos channel's endpoints, inspections.

Belongs here: putting the parts together, health, metrics, and what an outage answers. Stays out: every rule. The
service keeps no state of its own: any number may run, the database is the queue. Source: DESIGN §4.1, §10.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from khaos_swap_assets import api_page, told_errors
from khaos_swap_assets.adapters.errors import KhaosSwapError, SettingsError, StoreError
from khaos_swap_assets.adapters.settings import Settings, load_settings
from khaos_swap_assets.adapters.store import arrivals, mark, queues, sizes
from khaos_swap_assets.adapters.store.pool import Connect, Pool
from khaos_swap_assets.gateway import channel, describing, inspections, metrics, shop_webhooks, webhooks
from khaos_swap_assets.gateway.limits import RequestLimits, SenderRate
from khaos_swap_assets.gateway.security import is_near, refuse_demo_secrets
from khaos_swap_assets.gateway.writing import Writer
from khaos_swap_assets.running import logs

LOG = logging.getLogger("khaos_swap.gateway")
TITLE = "Khaos Swap gateway"
RETRY_SECONDS = "10"
STATEMENT_SECONDS = 15
ADVICE = {
    401: "Send the token, user or signature that the settings of this installation name; /docs says which.",
    404: "Look at /docs for the addresses of this gateway.",
    405: "Look at /docs for the methods of this address.",
}


def create_app(
    *,
    connect: Connect,
    settings: Settings,
    clock: Callable[[], datetime],
    hand_out: channel.HandOut | None = None,
) -> FastAPI:
    """The service over a database (``connect`` opens a connection), a clock in UTC and the feed of documents."""
    pool, writer, rate = Pool(connect), Writer(connect, arrivals.keep), SenderRate(settings.gateway_sender_rate)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, SenderRate]]:
        yield {"rate": rate}
        writer.close()
        pool.close()

    app = FastAPI(title=TITLE, lifespan=lifespan, redirect_slashes=False, docs_url=None, redoc_url=None)
    app.add_middleware(RequestLimits, rate=rate)
    stores = {settings.name_of(one.swap.store): one for one in settings.by_store}
    app.include_router(webhooks.router(pool, writer, {name: one.swap for name, one in stores.items()}, clock))
    app.include_router(shop_webhooks.router(writer, {name: one.storefront for name, one in stores.items()}, clock))
    app.include_router(inspections.router(pool, settings, clock))
    app.include_router(channel.router(pool, settings, clock, hand_out))
    _add_health(app, pool)
    _add_metrics(app, pool, settings, clock)
    api_page.serve(app)
    told_errors.serve(app, ADVICE)
    app.add_exception_handler(psycopg.DataError, _bad_data)
    for outage in (psycopg.Error, KhaosSwapError):
        app.add_exception_handler(outage, _unavailable)
    return app


def from_environment() -> FastAPI:
    """The service as the environment configures it, for ``uvicorn --factory``.

    Raises ``SettingsError`` for a wrong setting or a demo's secret, ``StoreError`` without a usable database.
    """
    from khaos_swap_assets.adapters import clock
    from khaos_swap_assets.adapters.store import database
    from khaos_swap_assets.stages.credit_notes.feed import hand_out

    settings = load_settings()
    url = settings.database_url.get_secret_value()
    if not url:
        raise SettingsError("KHAOS_SWAP_DATABASE_URL is empty: start the gateway with khaos-swap up, which sets it")

    def connect() -> psycopg.Connection[Any]:
        return database.connect(url, application="gateway", statement_seconds=STATEMENT_SECONDS)

    with connect() as conn:
        refuse_demo_secrets(settings, mark.find(conn) or "live")
    return create_app(connect=connect, settings=settings, clock=clock.from_environment(), hand_out=hand_out)


def _add_health(app: FastAPI, pool: Pool) -> None:
    from khaos_swap_assets.adapters.store import migrate

    needed = migrate.head()

    @app.get("/healthz", tags=["Health"], summary="The process answers")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz",
        tags=["Health"],
        summary="The database answers and its tables are of the version that this program needs",
        responses=describing.answers(describing.OF_ALL),
    )
    def readyz() -> dict[str, str]:
        with pool.transaction() as conn:
            marked, version = mark.find(conn), migrate.version(conn)
        if version != needed:
            raise StoreError(f"the tables are not of version {needed}")
        return {"status": "ready", "installation": marked or "unmarked"}


def _add_metrics(app: FastAPI, pool: Pool, settings: Settings, clock: Callable[[], datetime]) -> None:
    from khaos_swap_assets.stages.credit_notes.stopping import feed_problems

    @app.get(
        "/metrics",
        tags=["Health"],
        summary="Figures for Prometheus; for machines of the private network that the settings name",
        responses=describing.answers((*describing.OF_ALL, 403)),
        response_class=Response,
    )
    def told(request: Request) -> Response:
        if not is_near(request, settings.gateway_metrics_from):
            raise HTTPException(403, "figures are for the private addresses of KHAOS_SWAP_GATEWAY_METRICS_FROM")
        try:
            with pool.transaction() as conn:
                found = queues.read(conn, clock())
                refused = arrivals.refused(conn, clock() - timedelta(days=1))
                stopped = feed_problems(conn, settings=settings, now=clock())
                held = sizes.of_databases(conn) | logs.sizes(settings.data_dir)
            text = metrics.page(found, refused, is_database_up=True, feed=stopped, sizes=held)
        except (psycopg.Error, KhaosSwapError):
            text = metrics.page([], {}, is_database_up=False, sizes=logs.sizes(settings.data_dir))
        return Response(text, media_type="text/plain; version=0.0.4")


def _unavailable(request: Request, error: Exception) -> JSONResponse:
    """Tell the sender to come again: nothing was kept. What the database said is for our log, not for the sender."""
    told = str(error) if isinstance(error, KhaosSwapError) else type(error).__name__
    LOG.warning("%s: %s", getattr(request.scope.get("route"), "path", "no route"), told)
    is_store = isinstance(error, StoreError | psycopg.Error)
    reason = "the database cannot be used at the moment" if is_store else told
    body = told_errors.told(503, reason, request.scope["path"])
    return JSONResponse(body, 503, {"Retry-After": RETRY_SECONDS})


def _bad_data(request: Request, __: Exception) -> JSONResponse:
    return JSONResponse(
        told_errors.told(400, "the body holds a value that cannot be stored", request.scope["path"]), 400
    )
