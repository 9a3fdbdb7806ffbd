"""Those who wait for a batch, one for each of its rows."""

from collections.abc import Callable, Sequence

Tick = Callable[[float], None]
"""Hears the share of the work that is done, 0 to 1; raises to leave."""


class Audience:
    """Who raises when told how far the work is has left, and the others are not disturbed."""

    def __init__(self, ticks: Sequence[Tick]) -> None:
        """Nobody has left yet."""
        self._ticks = ticks
        self.left: dict[int, Exception] = {}

    def tell(self, fraction: float) -> list[int]:
        """Tell those who are present; return who still is, by number, rising."""
        for number, tick in enumerate(self._ticks):
            if number not in self.left:
                try:
                    tick(fraction)
                except Exception as error:  # noqa: BLE001  whatever it is, it is theirs
                    self.left[number] = error
        return [number for number in range(len(self._ticks)) if number not in self.left]
