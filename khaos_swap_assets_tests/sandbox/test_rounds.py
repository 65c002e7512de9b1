"""A round: who acts in it and after whom, the clock, and that no two overlap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from khaos_swap_assets.gateway.security import is_signed
from khaos_swap_assets.sandbox import generator
from khaos_swap_assets.sandbox.channel import FIRST_CONTACT, Channel, gateway_client
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.rounds import TRICKLE_SECONDS, Rounds
from khaos_swap_assets.sandbox.shop_webhooks import send_knocks
from khaos_swap_assets.sandbox.staff import Staff
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.storefront_books import ON
from khaos_swap_assets.sandbox.swap_webhooks import ATTEMPTS
from khaos_swap_assets.sandbox.warehouse import Warehouse, warehouse_client
from khaos_swap_assets.sandbox.world import World
from khaos_swap_assets_tests.sandbox.small import NOW, RMA, Gateway, document, small_world

NOTHING = dict.fromkeys(
    ("steps", "refunds", "webhooks", "inspections", "pulled", "imported", "issued", "allocated", "sold", "adjusted"), 0
)


class Bench:
    """The parties over the small world; ``kept`` are the records of each flush, ``heard`` each call to the gateway."""

    def __init__(self, *, is_live: bool = False, world: World | None = None) -> None:
        self.gateway = Gateway()
        self.kept: list[tuple[object, ...]] = []
        self.heard: list[str] = []
        self.on_call: Callable[[], object] = lambda: None
        self.books = Books(State(world or small_world()), lambda *records: self.kept.append(records))
        transport = httpx.MockTransport(self._answer)
        self.rounds = Rounds(
            self.books,
            Channel(self.books, gateway_client("http://gateway", "khaos", "secret", transport)),
            Warehouse(self.books, warehouse_client("http://gateway", "token", transport)),
            Staff(self.books),
            httpx.Client(base_url="http://gateway", transport=transport),
            is_live=is_live,
        )

    @property
    def world(self) -> World:
        return self.books.world

    def did(self) -> dict[str, object]:
        """What the round did, without the zeros and without what was sold on."""
        done = self.rounds.tick()["did"]
        assert isinstance(done, dict)
        assert set(done) == set(NOTHING)
        return {name: count for name, count in done.items() if count and name != "sold"}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request.url.path)
        self.on_call()
        return self.gateway.transport().handle_request(request)


def arriving(bench: Bench) -> None:
    """The return of the small world is refunded by a step that is due, and inspected."""
    rma = bench.world.rmas[RMA]
    rma.status, rma.refund_pence = "Open", 0
    rma.steps = [(NOW, {"status": "Closed", "refund_pence": 8499, "closed_at": NOW.isoformat()})]


def test_one_round_takes_a_return_from_swap_to_the_ledger() -> None:
    bench = Bench()
    arriving(bench)
    bench.gateway.pages[FIRST_CONTACT] = ([document()], "ks1.1")
    done = {"steps": 1, "webhooks": 1, "inspections": 1, "pulled": 1, "imported": 1}
    assert bench.did() == done
    assert [path for path in bench.heard if "config" not in path] == [
        "/webhooks/swap",
        "/inspections",
        "/khaos/returns",
    ]
    assert [note.issued_at for note in bench.world.notes.values()] == [NOW]
    assert bench.did() == {}


def test_a_quiet_round_does_nothing_and_says_so() -> None:
    bench = Bench()
    bench.world.rmas.clear()
    bench.rounds.tick()
    assert bench.rounds.tick() == {"did": NOTHING, "problems": []}


def test_what_a_step_changed_is_kept_before_anyone_hears_of_it() -> None:
    bench = Bench()
    arriving(bench)
    kept_at_call: list[bool] = []
    bench.on_call = lambda: kept_at_call.append(any(bench.world.rmas[RMA] in records for records in bench.kept))
    bench.rounds.tick()
    assert kept_at_call
    assert all(kept_at_call)


def test_a_gateway_that_is_down_is_a_problem_of_each_party_and_costs_no_more_than_the_webhook() -> None:
    bench = Bench()
    arriving(bench)
    bench.gateway.pages[FIRST_CONTACT] = ([document()], "ks1.1")
    bench.gateway.is_down = True
    told = bench.rounds.tick()
    problems = told["problems"]
    assert isinstance(problems, list)
    assert [text.partition(":")[0] for text in problems] == [*["webhook"] * ATTEMPTS, "warehouse", "channel"]
    bench.gateway.is_down = False
    assert bench.did() == {"inspections": 1, "pulled": 1, "imported": 1}


def test_a_webhook_that_is_refused_is_no_problem_of_ours() -> None:
    bench = Bench()
    bench.world.rmas[RMA].is_inspected = True
    bench.world.webhooks_due = [("returnProcessed", RMA)]
    bench.gateway.post_status = 401
    assert bench.rounds.tick()["problems"] == []
    assert [path for path, _ in bench.gateway.posts] == ["/webhooks/swap"] * ATTEMPTS


def test_where_the_shop_is_connected_money_moves_before_swap_tells() -> None:
    bench = Bench()
    bench.world.memory[ON] = "yes"
    bench.world.rmas[RMA].processed_at = NOW - timedelta(days=3)
    bench.world.webhooks_due = [("returnProcessed", RMA)]
    moved: list[int] = []
    bench.on_call = lambda: moved.append(len(bench.world.store_refunds))
    assert bench.did()["refunds"] == 1
    assert moved[0] == 1
    (refund,) = bench.world.store_refunds.values()
    assert any(refund in records for records in bench.kept)
    assert "refunds" not in bench.did()


def test_a_refund_knocks_with_its_order_and_its_signature() -> None:
    bench = Bench()
    bench.world.memory[ON] = "yes"
    bench.world.rmas[RMA].processed_at = NOW - timedelta(days=3)
    bench.rounds.tick()
    (refund,) = bench.world.store_refunds.values()
    (told,) = [body for path, body in bench.gateway.posts if path == "/webhooks/storefront"]
    assert (told["id"], told["order_id"]) == (int(refund.refund_id), int(refund.order_id))


@pytest.mark.parametrize(
    ("fault", "posts", "is_proven"),
    [
        ("", 1, True),
        ("shop_webhook_lost", 0, True),
        ("shop_webhook_repeated", 2, True),
        ("shop_webhook_forged", 1, False),
    ],
)
def test_a_knock_of_the_shop_may_be_lost_repeated_or_forged(fault: str, posts: int, *, is_proven: bool) -> None:
    state = State(small_world())
    heard: list[tuple[bytes, Mapping[str, str]]] = []
    if fault:
        state.faults.arm(fault)

    def taken(body: bytes, headers: Mapping[str, str]) -> bool:
        heard.append((body, headers))
        return True

    send_knocks(state, [("refunds/create", {"id": 1})], taken)
    assert len(heard) == posts
    signed = [
        is_signed(body, headers["x-shopify-hmac-sha256"], [state.shop_secret.encode()]) for body, headers in heard
    ]
    assert set(signed) <= {is_proven}


def test_while_a_round_calls_out_no_other_begins() -> None:
    bench = Bench()
    arriving(bench)
    could_begin: list[bool] = []
    bench.on_call = lambda: could_begin.append(bench.rounds._turn.acquire(blocking=False))
    bench.rounds.tick()
    assert could_begin
    assert not any(could_begin)
    assert not bench.rounds._turn.locked()


def test_while_a_round_calls_out_the_books_are_free() -> None:
    """Else a gateway that asks Khaos something before it answers would wait for itself."""
    bench = Bench()
    arriving(bench)
    is_free: list[bool] = []
    bench.on_call = lambda: in_a_thread(lambda: is_free.append(can_take(bench.books.state)))
    bench.rounds.tick()
    assert is_free
    assert all(is_free)


def can_take(state: State) -> bool:
    """Whether the lock is free for this thread; leaves it free."""
    is_taken = state.lock.acquire(blocking=False)
    if is_taken:
        state.lock.release()
    return is_taken


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.parametrize("hours", [1, 72])
def test_the_clock_is_moved_on_by_hand_and_kept(hours: int) -> None:
    bench = Bench()
    bench.rounds.advance(timedelta(hours=hours))
    bench.rounds.advance(timedelta(minutes=30))
    assert bench.world.now == NOW + timedelta(hours=hours, minutes=30)
    assert bench.kept == [(bench.world,)] * 2


def test_without_an_audience_the_clock_stands_between_rounds_and_nothing_new_comes() -> None:
    bench = Bench()
    bench.rounds.tick()
    bench.rounds.tick()
    assert bench.world.now == NOW
    assert list(bench.world.rmas) == [RMA]


def a_live_bench(now: datetime) -> Bench:
    world = small_world()
    world.items = generator.build(1, 1).items
    world.rmas.clear()
    world.now = now
    return Bench(is_live=True, world=world)


def wall() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_a_live_clock_follows_the_wall_clock_plus_what_was_added_by_hand() -> None:
    bench = a_live_bench(wall() - timedelta(days=2))
    before = wall()
    bench.rounds.tick()
    assert before <= bench.world.now <= wall()
    bench.rounds.advance(timedelta(days=5))
    before = wall()
    bench.rounds.tick()
    assert before + timedelta(days=5) <= bench.world.now <= wall() + timedelta(days=5)


def test_a_live_clock_never_goes_back() -> None:
    ahead = wall() + timedelta(days=400)
    bench = a_live_bench(ahead)
    bench.rounds.tick()
    assert bench.world.now == ahead


def test_a_new_return_comes_in_every_now_and_then_and_is_kept() -> None:
    ahead = wall() + timedelta(days=400)
    bench = a_live_bench(ahead)
    counts = []
    for passed in (timedelta(), timedelta(seconds=TRICKLE_SECONDS - 1), timedelta(seconds=1), timedelta(seconds=5)):
        bench.world.now += passed
        bench.rounds.tick()
        counts.append(len(bench.world.rmas))
    assert counts == [0, 0, 1, 1]
    (rma,) = bench.world.rmas.values()
    together = next(records for records in bench.kept if rma in records)
    assert bench.world.customers[rma.urn] in together
    assert next(one for one in bench.world.orders.values() if one.order_name == rma.order_name) in together
    assert bench.world in together
