"""The programs of others in a cluster: PostgreSQL, Redis and HAProxy, each on its machine.

Belongs here: how each is started, and their files. Stays out: our own programs (``house``). HAProxy stands before the
gateways as a merchant's proxy does, and before the vendors, where it makes them slow or dead.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from khaos_swap_assets_tests.cluster.net import Machine

USER = "khaos_swap"
POSTGRES = Path(next(iter(sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)), "/nowhere"))
NEEDED = ("redis-server", "haproxy", "ip", "runuser")
HAPROXY = """\
global
    stats socket {folder}/haproxy.sock mode 600
defaults
    timeout connect 5s
    timeout client 90s
    timeout server 90s
    timeout check 2s
"""


def missing() -> str:
    """Which program is not here; empty where all are."""
    absent = [name for name in NEEDED if not shutil.which(name)]
    absent += [] if (POSTGRES / "initdb").exists() else ["PostgreSQL of the system, /usr/lib/postgresql"]
    return f"absent: {', '.join(absent)}" if absent else ""


def postgres(machine: Machine, password: str) -> None:
    """A server that takes this password from all machines."""
    folder, secret = machine.folder / "postgres", machine.folder / "password"
    owner = pwd.getpwnam("postgres")
    folder.mkdir(exist_ok=True)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    as_owner = ["runuser", "-u", "postgres", "--"]
    if not (folder / "PG_VERSION").exists():
        secret.write_text(password)
        os.chown(secret, owner.pw_uid, owner.pw_gid)
        made = [str(POSTGRES / "initdb"), "-D", str(folder), "-U", USER, "-A", "scram-sha-256", "--pwfile", str(secret)]
        subprocess.run([*as_owner, *made, "-E", "UTF8"], check=True, capture_output=True, cwd="/")
        secret.unlink()
        with (folder / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet scram-sha-256\n")
    told = {"listen_addresses": "*", "max_connections": "300", "unix_socket_directories": "", "shared_buffers": "256MB"}
    words = [word for name, value in told.items() for word in ("-c", f"{name}={value}")]
    machine.run("postgres", [*as_owner, str(POSTGRES / "postgres"), "-D", str(folder), *words])


def redis(machine: Machine, password: str) -> None:
    """A Redis that writes down what it was told, as Debian's does with appendonly."""
    words = ["--bind", "0.0.0.0", "--requirepass", password, "--appendonly", "yes", "--dir", str(machine.folder)]
    machine.run("redis", ["redis-server", *words])


def haproxy(machine: Machine, name: str, blocks: Sequence[str]) -> None:
    """HAProxy with these blocks; one that runs already under this name gives way to it."""
    file, pid = machine.folder / f"{name}.cfg", machine.folder / f"{name}.pid"
    file.write_text("\n".join([HAPROXY.format(folder=machine.folder), *blocks]))
    before = pid.read_text().split() if pid.exists() else []
    machine.run(name, ["haproxy", "-db", "-f", str(file), "-p", str(pid), *(["-st", *before] if before else [])])


def door(port: int, here: str, gateways: Sequence[str]) -> str:
    """Before a merchant's gateways. TLS would end here: the gateways are told that it did."""
    servers = "\n".join(f"    server g{n} {one}:{port} check inter 1s fall 2 rise 1" for n, one in enumerate(gateways))
    return f"""\
listen gateway-{port}
    mode http
    bind {here}:{port}
    http-request set-header X-Forwarded-Proto https
    http-request set-header X-Forwarded-For %[src]
    option httpchk GET /readyz
    option redispatch 1
    retries 2
{servers}
"""


def near(port: int, there: str) -> str:
    """The vendor of a merchant as a machine sees it: on its own loopback, where no TLS is asked for."""
    return f"""\
listen vendor-{port}
    mode tcp
    bind 127.0.0.1:{port}
    server vendor {there}:{port}
"""


def vendor(port: int, here: str, *, answer_ms: int, is_dead: bool) -> str:
    """Before a merchant's vendors: each answer takes its time, and a dead Khaos never answers."""
    wait = (
        f"    tcp-request inspect-delay {answer_ms}ms\n    tcp-request content accept if WAIT_END\n"
        if answer_ms
        else ""
    )
    dead = "    http-request silent-drop if { path_beg -i /LiveSoap }\n" if is_dead else ""
    return f"""\
listen vendor-{port}
    mode http
    bind {here}:{port}
{wait}{dead}    server vendor 127.0.0.1:{port}
"""


def screen(port: int, here: str) -> str:
    """Dagster's UI, which its machine keeps to itself, for whoever watches a cluster."""
    return f"""\
listen screen
    mode http
    bind {here}:{port + 1}
    http-request set-header Host 127.0.0.1:{port}
    server ui 127.0.0.1:{port}
"""
