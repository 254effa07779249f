"""Photos: which pictures of the catalogue a plan will look at, as far as that can be told early."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flows.nouns.shot import Reading

_OF_PRODUCT = re.compile(r"\bproduct[.]image(s?)\b")


def photos(reading: Reading) -> Iterator[str]:
    """The addresses that references such as `{{ product.image }}` will come to.

    A hint for looking ahead: with a sample most products are left out, and nothing is told.
    """
    if reading.campaign.sample is not None:
        return
    named = [
        found[1]
        for wish in reading.campaign.references
        for found in _OF_PRODUCT.finditer(wish.from_)
    ]
    if not named:
        return
    count = None if "s" in named else 1
    for product in reading.products:
        yield from product.images[:count]
