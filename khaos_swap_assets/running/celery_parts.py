"""What Celery is told, alike where runs are sent off and where they are worked on.

Belongs here: the settings of Celery. Stays out: sending (``launching``) and working (``run_worker``). Nothing of it
needs Celery to be installed. A message is given back only when its run is over, and a worker takes no more than it
works on; what is delivered twice after all is ignored by Dagster, as the run has begun or ended by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

URL = "KHAOS_SWAP_RUNS_BROKER_URL"
QUEUE_TAG = "dagster-celery/queue"
LAUNCHER = "khaos_swap_assets.running.launching:MerchantLauncher"
SOCKET: Mapping[str, Any] = {
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CONFIG: Mapping[str, Any] = {
    "task_acks_late": True,
    "worker_prefetch_multiplier": 1,
    "worker_max_tasks_per_child": 200,
    "worker_redirect_stdouts_level": "INFO",
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_connection_timeout": 5,
    "broker_transport_options": {
        **SOCKET,
        "visibility_timeout": 1200,
        "max_retries": 3,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.5,
    },
    "result_backend_always_retry": True,
    "result_backend_max_retries": 20,
    **{f"redis_{name}": value for name, value in SOCKET.items() if name != "health_check_interval"},
    "redis_backend_health_check_interval": SOCKET["health_check_interval"],
    "result_expires": 86_400,
}


def launcher() -> dict[str, Any]:
    """The run launcher of ``dagster.yaml``; where the broker is stays in the environment."""
    (module, _, name), where = LAUNCHER.partition(":"), {"env": URL}
    config = {"broker": where, "backend": where, "config_source": dict(CONFIG)}
    return {"module": module, "class": name, "config": config}


MONITORING: Mapping[str, Any] = {
    "max_resume_run_attempts": 0,
    "start_timeout_seconds": 120,
    "poll_interval_seconds": 10,
}
"""Nothing is resumed: the next run does what is still undone. A run that no worker takes in two minutes is closed."""
