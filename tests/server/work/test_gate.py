"""Who works beside whom."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from server.work.gate import Gate


class Visitor:
    """Somebody who enters in a thread of their own, and stays until told to go."""

    def __init__(self, gate: Gate, name: str, *, alone: bool, crowd: ThreadPoolExecutor) -> None:
        self.is_in, self.may_go = Event(), Event()
        self._gate, self._name, self._alone = gate, name, alone
        self._visit = crowd.submit(self._stay)

    def _stay(self) -> None:
        with self._gate.enter(self._name, alone=self._alone):
            self.is_in.set()
            assert self.may_go.wait(5)

    def leave(self) -> None:
        self.may_go.set()
        self._visit.result(5)


def test_jobs_are_together_and_a_suspect_is_alone() -> None:
    gate = Gate()
    with ThreadPoolExecutor(5) as crowd:
        first = Visitor(gate, "first", alone=False, crowd=crowd)
        second = Visitor(gate, "second", alone=False, crowd=crowd)
        assert first.is_in.wait(5)
        assert second.is_in.wait(5)
        suspect = Visitor(gate, "suspect", alone=True, crowd=crowd)
        assert not suspect.is_in.wait(0.05)
        late = Visitor(gate, "late", alone=False, crowd=crowd)
        first.leave()
        assert not late.is_in.wait(0.05), "it would keep the suspect waiting for ever"
        assert not suspect.is_in.is_set()
        assert gate.inside() == {"second"}
        second.leave()
        assert suspect.is_in.wait(5)
        assert not late.is_in.wait(0.05)
        assert gate.inside() == {"suspect"}
        suspect.leave()
        assert late.is_in.wait(5)
        late.leave()
        assert gate.inside() == frozenset()


def test_suspects_go_one_by_one() -> None:
    gate = Gate()
    with ThreadPoolExecutor(2) as crowd:
        pair = [Visitor(gate, name, alone=True, crowd=crowd) for name in ("a", "b")]
        while not any(visitor.is_in.wait(0.01) for visitor in pair):
            pass
        inside = next(visitor for visitor in pair if visitor.is_in.is_set())
        outside = next(visitor for visitor in pair if visitor is not inside)
        assert not outside.is_in.wait(0.05)
        inside.leave()
        assert outside.is_in.wait(5)
        outside.leave()
