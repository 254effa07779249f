"""The words between Shotlist and its hosts: orders, replies, accounts, limits, capabilities.

A provider translates; it never sends. Ledger, pace and budget stand between a request and its
answer, so a host's file turns an order into an `httpx.Request` and an `httpx.Response` into a
reply. Sending is the business of `shoot`.
"""

from flows.providers.base.account import Account, Limits, Window
from flows.providers.base.answers import document, retry_after_s, text_of
from flows.providers.base.capabilities import (
    PARAMETERS,
    Capabilities,
    ReferenceLimits,
    Treatment,
    Way,
)
from flows.providers.base.lookup import Finding, Found, NotThere, Sent, Trace, Unclear
from flows.providers.base.order import Handed, Order, Picture
from flows.providers.base.provider import Handing, Provider
from flows.providers.base.replies import (
    Accepted,
    Done,
    Heard,
    Image,
    Job,
    Listed,
    Ready,
    RefusalKind,
    Refused,
    Reply,
    Running,
    UnverifiedError,
)
from flows.providers.base.shapes import NamedShapes, PixelShapes, Shapes, Size

__all__ = [
    "PARAMETERS",
    "Accepted",
    "Account",
    "Capabilities",
    "Done",
    "Finding",
    "Found",
    "Handed",
    "Handing",
    "Heard",
    "Image",
    "Job",
    "Limits",
    "Listed",
    "NamedShapes",
    "NotThere",
    "Order",
    "Picture",
    "PixelShapes",
    "Provider",
    "Ready",
    "ReferenceLimits",
    "RefusalKind",
    "Refused",
    "Reply",
    "Running",
    "Sent",
    "Shapes",
    "Size",
    "Trace",
    "Treatment",
    "Unclear",
    "UnverifiedError",
    "Way",
    "Window",
    "document",
    "retry_after_s",
    "text_of",
]
