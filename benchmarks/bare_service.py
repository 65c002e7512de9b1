"""The gateway as anybody would write it: FastAPI, PyJWT, psycopg, a row committed for each webhook, and nothing else.

``gateway_load`` measures ours beside it. It bounds nothing, refuses little and forgets what a second knock means.
``python -m benchmarks.bare_service PORT URL`` serves it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from typing import Any

import jwt
import psycopg
import uvicorn
from fastapi import FastAPI, HTTPException

from benchmarks.sending import SECRET

INSERT = (
    "INSERT INTO recon.inbox (source, event, store_id, return_id, body, body_hash, received_at) "
    "VALUES ('bare', %s, %s, %s, %s, %s, now())"
)
MOST_LINES = 1_000


def serve(port: int, url: str) -> None:
    """Serve on loopback until the process ends; each thread keeps a connection of its own."""
    app, own = FastAPI(), threading.local()

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/webhooks/swap")
    def take(body: dict[str, Any]) -> dict[str, str]:
        try:
            claims = jwt.decode(body["jwt"], SECRET, algorithms=["HS256"])
        except (KeyError, jwt.InvalidTokenError):
            raise HTTPException(401) from None
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(url, autocommit=True)
        kept = json.dumps(body["return"])
        mark = hashlib.sha256(kept.encode()).hexdigest()
        own.connection.execute(INSERT, (claims["event"], claims["store_id"], claims["return_id"], kept, mark))
        return {"status": "accepted"}

    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="error", limit_concurrency=MOST_LINES)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
