"""Whose turn it is, in virtual time: first the rules, then whole days of traffic."""

import math
import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import pytest

from pipelines.models.waiting_room import WaitingRoom

PATIENCE = 0.004
ROWS = 8
BUCKETS = ("1024x1024", "1152x896", "896x1152", "1344x768")


class Service(NamedTuple):
    """Seconds that a batch takes: so many for itself, so many for each row."""

    batch: float
    row: float

    def __call__(self, rows: int) -> float:
        return self.batch + self.row * rows

    @property
    def one_by_one(self) -> float:
        """Rows per second without batches."""
        return 1 / self(1)

    @property
    def at_best(self) -> float:
        """Rows per second in full batches."""
        return ROWS / self(ROWS)


def estimate_service() -> Service:
    """Arithmetic, not a reading.

    20 guided steps at 1 MP are 286 TFLOP; a card that multiplies at 790 TFLOP/s has its waves
    filled to 73 % by the two halves of one row and to 97 % by those of eight.
    """
    alone, eight = 286 / 790 / 0.73, ROWS * 286 / 790 / 0.97
    row = (eight - alone) / (ROWS - 1)
    return Service(alone - row, row)


SERVICE = estimate_service()


def make_room(rows: int = ROWS) -> WaitingRoom[str, int]:
    return WaitingRoom(PATIENCE, lambda _: rows)


def test_nobody_waits_in_an_empty_room() -> None:
    room = make_room()
    assert room.call_in(math.inf) is None
    assert room.next_turn() is None
    assert len(room) == 0


def test_one_guest_waits_for_company_as_long_as_patience_lasts() -> None:
    room = make_room()
    room.enter(1, "wide", 10.0)
    assert room.next_turn() == 10.0 + PATIENCE
    assert room.call_in(10.0 + PATIENCE / 2) is None
    assert room.call_in(10.0 + PATIENCE) == ("wide", [1])
    assert len(room) == 0


def test_guests_of_one_kind_go_in_together_in_the_order_they_came() -> None:
    room = make_room()
    for guest, kind in enumerate(["wide", "tall", "wide", "tall", "wide"]):
        room.enter(guest, kind, guest / 1000)
    assert room.call_in(1.0) == ("wide", [0, 2, 4])
    assert room.call_in(1.0) == ("tall", [1, 3])


def test_a_full_group_waits_for_nobody() -> None:
    room = make_room(rows=2)
    room.enter(0, "tall", 5.0)
    room.enter(1, "wide", 5.001)
    room.enter(2, "wide", 5.001)
    assert room.next_turn() == -math.inf
    assert room.call_in(5.001) == ("wide", [1, 2])
    assert room.call_in(5.001) is None


def test_who_has_waited_longest_goes_before_a_full_group() -> None:
    room = make_room(rows=2)
    room.enter(0, "tall", 5.0)
    room.enter(1, "wide", 5.001)
    room.enter(2, "wide", 5.001)
    assert room.call_in(6.0) == ("tall", [0])
    assert room.call_in(6.0) == ("wide", [1, 2])


def test_more_than_fit_go_in_one_batch_after_the_other() -> None:
    room = make_room(rows=2)
    for guest in range(5):
        room.enter(guest, "wide", 0.0)
    parties = [room.call_in(1.0) for _ in range(4)]
    assert [party and party.guests for party in parties] == [[0, 1], [2, 3], [4], None]


def test_each_kind_has_its_own_largest_batch() -> None:
    room: WaitingRoom[int, str] = WaitingRoom(PATIENCE, lambda kind: kind)
    for guest in "abc":
        room.enter(guest, 1, 0.0)
        room.enter(guest.upper(), 2, 0.0)
    assert room.call_in(0.0) == (1, ["a"])
    assert room.call_in(0.0) == (1, ["b"])


# Traffic. A guest is a number; what became of it is a row of the log.


class Guest(NamedTuple):
    kind: str
    came: float


@dataclass(frozen=True)
class Served:
    guest: Guest
    began: float
    ended: float
    batch: int  # rows that went in with it, itself included

    @property
    def waited(self) -> float:
        return self.began - self.guest.came


class Traffic:
    """One device and its room, on a clock that jumps from event to event."""

    def __init__(self, service: Service = SERVICE) -> None:
        self.room: WaitingRoom[str, Guest] = WaitingRoom(PATIENCE, lambda _: ROWS)
        self.service = service
        self.now = 0.0
        self.log: list[Served] = []

    def run(self, guests: Iterable[Guest]) -> list[Served]:
        """Serve those who come, sorted by time, until nobody is left."""
        coming = deque(guests)
        while coming or len(self.room):
            while coming and coming[0].came <= self.now:
                self.admit(coming.popleft())
            if not self.serve():
                self.wait(coming[0].came if coming else math.inf)
        return self.log

    def wait(self, most: float = math.inf) -> None:
        """Let time pass until somebody may go, or until ``most``."""
        turn = self.room.next_turn()
        self.now = most if turn is None else min(turn, most)

    def admit(self, guest: Guest) -> None:
        self.room.enter(guest, guest.kind, guest.came)

    def serve(self) -> int:
        """Serve one batch if somebody may go; how many rows it had."""
        party = self.room.call_in(self.now)
        if party is None:
            return 0
        rows = len(party.guests)
        ended = self.now + self.service(rows)
        self.log += [Served(guest, self.now, ended, rows) for guest in party.guests]
        self.now = ended
        return rows


def run_closed(waiting: int, seconds: float, kinds: Sequence[str] = BUCKETS) -> list[Served]:
    """A queue that never empties: for each one served another comes, of any kind."""
    luck, traffic = random.Random(4), Traffic()
    for _ in range(waiting):
        traffic.admit(Guest(luck.choice(kinds), 0.0))
    while traffic.now < seconds:
        served = traffic.serve()
        if not served:
            traffic.wait()
        for _ in range(served):
            traffic.admit(Guest(luck.choice(kinds), traffic.now))
    return traffic.log


def arrive(rate: float, seconds: float, kinds: Sequence[str] = BUCKETS) -> Iterator[Guest]:
    """As many a second on average, at times that know nothing of each other."""
    luck = random.Random(7)
    gaps = (luck.expovariate(rate) for _ in range(int(rate * seconds)))
    return (Guest(luck.choice(kinds), came) for came in accumulate(gaps))


def measure_rate(log: Sequence[Served]) -> float:
    """Rows per second over the whole log."""
    return len(log) / max(served.ended for served in log)


def measure_fill(log: Sequence[Served]) -> float:
    """Share of the rows in use, over all batches."""
    batches = sum(1 / served.batch for served in log)
    return len(log) / batches / ROWS


def find_percentile(values: Iterable[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[math.ceil(share * len(ranked)) - 1]


def test_a_saturated_device_works_in_full_batches() -> None:
    assert measure_fill(run_closed(64, 3600)) >= 0.99
    assert measure_fill(run_closed(32, 3600)) >= 0.95


def test_mixed_traffic_is_nearly_as_fast_as_one_kind_and_faster_than_one_by_one() -> None:
    rate = measure_rate(run_closed(64, 3600))
    assert rate / SERVICE.one_by_one >= 1.25
    assert rate / SERVICE.at_best >= 0.98
    assert measure_rate(run_closed(64, 3600, BUCKETS[:1])) == pytest.approx(SERVICE.at_best)


def test_a_saturated_queue_is_fair() -> None:
    """By Little's law those in the queue wait for as long as all before them take, of any kind."""
    log = run_closed(64, 3600)[64:]
    fair = (64 - ROWS) / measure_rate(log)
    assert find_percentile((served.waited for served in log), 0.95) <= 1.35 * fair
    assert max(served.waited for served in log) <= 1.6 * fair
    for kind in BUCKETS:
        waits = [served.waited for served in log if served.guest.kind == kind]
        assert sum(waits) / len(waits) == pytest.approx(fair, rel=0.05)


def test_more_is_carried_than_a_device_could_do_one_by_one() -> None:
    rate = 0.9 * SERVICE.at_best
    assert rate > SERVICE.one_by_one
    log = Traffic().run(arrive(rate, 3600))
    assert measure_rate(log) == pytest.approx(rate, rel=0.05)
    assert find_percentile((served.waited for served in log), 0.95) <= 4 * SERVICE(ROWS)


def test_who_finds_the_device_idle_waits_no_longer_than_patience() -> None:
    log = Traffic().run(arrive(0.2 * SERVICE.one_by_one, 36_000))
    ends = [0.0, *(served.ended for served in log)]
    idle = [
        served
        for number, served in enumerate(log)
        if ends[number] <= served.guest.came and served.guest.came <= served.began
    ]
    assert len(idle) > len(log) / 2
    assert max(served.waited for served in idle) <= PATIENCE + 1e-9


def test_those_who_come_within_patience_share_a_batch() -> None:
    together = [Guest("wide", 1.0 + number * PATIENCE / 4) for number in range(4)]
    apart = [Guest("wide", 2.0 + number) for number in range(2)]
    log = Traffic(Service(0.1, 0.1)).run([*together, *apart])
    assert [served.batch for served in log] == [4, 4, 4, 4, 1, 1]


def test_a_rare_kind_is_served_in_its_turn_in_a_flood_of_another() -> None:
    """Those who were there before go first, and nobody else; then it goes, though it is alone."""
    traffic, flood = Traffic(), 64
    for _ in range(flood):
        traffic.admit(Guest("wide", 0.0))
    for turn in range(400):
        if turn % 20 == 0:
            traffic.admit(Guest("tall", traffic.now))
        done = len(traffic.log)
        traffic.serve()
        for served in traffic.log[done:]:
            if served.guest.kind == "wide":
                traffic.admit(Guest("wide", traffic.now))
    rare = [served for served in traffic.log if served.guest.kind == "tall"]
    assert len(rare) == 20
    assert {served.batch for served in rare} == {1}
    assert max(served.waited for served in rare) <= flood / ROWS * SERVICE(ROWS) + SERVICE(1) + 1e-6


def test_nobody_who_may_go_is_passed_over_for_a_group_that_came_later() -> None:
    log = Traffic().run(arrive(1.2 * SERVICE.at_best, 600))
    heads: dict[float, float] = {}
    for served in log:
        heads[served.began] = min(served.guest.came, heads.get(served.began, math.inf))
    for began, head in heads.items():
        waiting = [served.guest.came for served in log if served.began > began]
        assert not [came for came in waiting if came < head and came + PATIENCE <= began]
    assert len(heads) > 100
