"""Machines as namespaces: each is apart, can be cut off and killed; and what a cluster is told holds together."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from khaos_swap_assets_tests.cluster import __main__ as command
from khaos_swap_assets_tests.cluster import net, services
from khaos_swap_assets_tests.cluster.house import Size
from khaos_swap_assets_tests.cluster.net import Machine, Net
from khaos_swap_assets_tests.running import until

CELERY = Path(__file__).parents[1] / "deploy" / "celery"
needs_haproxy = pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is absent")


def test_the_size_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCHANTS", "2")
    monkeypatch.setenv("RETURNS", "")
    assert command.size_here() == Size(merchants=2)


@needs_haproxy
def test_haproxy_understands_what_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "haproxy.cfg"
    blocks = [
        services.door(8701, "127.0.0.1", ["127.0.0.2", "127.0.0.3"]),
        services.near(8801, "127.0.0.1"),
        services.vendor(8802, "127.0.0.1", answer_ms=300, is_dead=True),
        services.screen(3000, "127.0.0.1"),
    ]
    file.write_text("\n".join([services.HAPROXY.format(folder=tmp_path), *blocks]))
    done = subprocess.run(["haproxy", "-c", "-f", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_haproxy
def test_the_sample_for_haproxy_is_right_but_for_its_names_and_its_certificate(tmp_path: Path) -> None:
    file = tmp_path / "haproxy.cfg"
    text = (CELERY / "haproxy.cfg").read_text().replace(" ssl crt /etc/haproxy/gateways.pem", "")
    file.write_text(text.replace("gateway1.example", "127.0.0.2").replace("gateway2.example", "127.0.0.3"))
    done = subprocess.run(["haproxy", "-c", "-f", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_unit_starts_what_there_is() -> None:
    (line,) = [
        line for line in (CELERY / "khaos-swap@.service").read_text().splitlines() if line.startswith("ExecStart")
    ]
    words = line.split()[1:]
    assert words == ["up", "--merchants", "/etc/khaos-swap/merchants", "--only", "%i"]


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two machines of a net."""
    if reason := net.missing():
        pytest.skip(f"no namespaces here: {reason}")
    if subprocess.run(["ip", "link", "show", net.BRIDGE], capture_output=True, check=False).returncode == 0:
        pytest.skip("a cluster runs on this machine")
    made = Net(tmp_path)
    try:
        yield made.add("one", 201), made.add("two", 202)
    finally:
        made.close()


@pytest.mark.alone
def test_a_machine_is_reached_until_it_is_cut_off_and_nobody_lives_after_it_is_killed(
    machines: tuple[Machine, Machine], tmp_path: Path
) -> None:
    one, two = machines
    served = one.run("server", [sys.executable, "-m", "http.server", "8000"])
    ask = f"import urllib.request as u; u.urlopen('http://{one.address}:8000', timeout=2); print('reached')"

    def reached() -> bool:
        two.run("client", [sys.executable, "-c", ask]).wait(20)
        log = tmp_path / "two" / "client.log"
        said = log.read_text()
        log.write_text("")
        return "reached" in said

    assert until(reached, 30)
    one.cut()
    assert not reached()
    assert served.poll() is None
    one.mend()
    assert until(reached, 30)
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://127.0.0.1:8000", timeout=2)
    one.kill()
    assert one.pids() == []
    assert served.poll() is not None


@pytest.mark.alone
def test_a_machine_may_use_a_part_of_a_core(machines: tuple[Machine, Machine]) -> None:
    one, _ = machines
    if not net.SLICE.exists():
        pytest.skip("no control group of version 1 here")
    spin = "import time; e = time.monotonic() + 2\nwhile time.monotonic() < e: pass\nprint(time.process_time())"
    began = time.monotonic()
    one.run("spin", [sys.executable, "-c", spin], cores=0.2).wait(30)
    used = float((one.folder / "spin.log").read_text().split()[-1])
    assert used < 0.35 * (time.monotonic() - began)
