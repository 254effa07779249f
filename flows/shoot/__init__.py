"""In: orders for takes. Out: what became of each. The only room that spends money."""

from flows.shoot.dispatch import Outcome, Wanted, shoot

__all__ = ["Outcome", "Wanted", "shoot"]
