"""In: recipes and the accounts to buy them with. Out: what became of each, as it comes. The only
room that spends money.
"""

from flows.shoot.bell import Bell
from flows.shoot.outcome import Outcome, Wanted
from flows.shoot.shooting import shoot

__all__ = ["Bell", "Outcome", "Wanted", "shoot"]
