"""The twelve products in the catalogue's order."""

from __future__ import annotations

from collections.abc import Callable

from tests.studio.materials import Product
from tests.studio.products_home import cushion, lamp, stool, vase
from tests.studio.products_kitchen import bottle, bowls, mug, pan, teapot
from tests.studio.products_lettered import candle, clock, soap

PRODUCTS: tuple[Callable[[], Product], ...] = (
    mug,
    teapot,
    bottle,
    lamp,
    vase,
    cushion,
    stool,
    soap,
    clock,
    candle,
    bowls,
    pan,
)
