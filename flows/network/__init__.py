"""In: addresses that may come from data. Out: connections to public places, and to the ones that
somebody set by hand. Nothing else is reached, whatever a name server or a redirect says.
"""

from flows.network.client import client
from flows.network.guard import NoHostError, NotAskedError, PublicOnly
from flows.network.logs import hush
from flows.network.origin import Origin, url_of
from flows.network.proxies import Proxies
from flows.network.public import Resolve, is_public, resolved
from flows.network.redirects import onward
from flows.network.transports import AsyncGuarded, Guarded
from flows.network.trust import trust

__all__ = [
    "AsyncGuarded",
    "Guarded",
    "NoHostError",
    "NotAskedError",
    "Origin",
    "Proxies",
    "PublicOnly",
    "Resolve",
    "client",
    "hush",
    "is_public",
    "onward",
    "resolved",
    "trust",
    "url_of",
]
