"""Campaign: a campaign file as it is spelled, part by part. An unknown key is an error.

The JSON Schema that editors use is made from these classes, so each description is written for
the person who types the file. Text fields that hold Jinja are kept as written; `plan` renders them.
"""

from flows.nouns.campaign.asking import (
    Budget,
    Model,
    Moderation,
    ProviderChoice,
    ReferenceWish,
    Role,
)
from flows.nouns.campaign.axes import Cell, Experiment, Locale, Sample, Size, Variant
from flows.nouns.campaign.campaign import Campaign
from flows.nouns.campaign.finishing import (
    BoxName,
    BoxShares,
    Brand,
    Finish,
    Overlay,
    OverlayRole,
    Side,
)
from flows.nouns.campaign.part import (
    ID_PATTERN,
    MOST_PIXELS,
    MOST_SHAPE,
    RATIO_PATTERN,
    SIZE_PATTERN,
    ByteCount,
    Format,
    HexColour,
    Part,
    Scalar,
    Value,
    Variables,
    bytes_from_text,
    possible_ratio,
    possible_size,
)
from flows.nouns.campaign.products import Dialect, Products
from flows.nouns.campaign.publishing import DOMAIN_PATTERN, Adcp, Feed, Publish, Schedule
from flows.nouns.campaign.saying import AigcLabel, Rights, Tagging

__all__ = [
    "DOMAIN_PATTERN",
    "ID_PATTERN",
    "MOST_PIXELS",
    "MOST_SHAPE",
    "RATIO_PATTERN",
    "SIZE_PATTERN",
    "Adcp",
    "AigcLabel",
    "BoxName",
    "BoxShares",
    "Brand",
    "Budget",
    "ByteCount",
    "Campaign",
    "Cell",
    "Dialect",
    "Experiment",
    "Feed",
    "Finish",
    "Format",
    "HexColour",
    "Locale",
    "Model",
    "Moderation",
    "Overlay",
    "OverlayRole",
    "Part",
    "Products",
    "ProviderChoice",
    "Publish",
    "ReferenceWish",
    "Rights",
    "Role",
    "Sample",
    "Scalar",
    "Schedule",
    "Side",
    "Size",
    "Tagging",
    "Value",
    "Variables",
    "Variant",
    "bytes_from_text",
    "possible_ratio",
    "possible_size",
]
