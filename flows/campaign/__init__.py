"""In: a campaign file and what a person or a schedule wants of it. Out: how the run ended, or the
deployments that run it: the line as a Prefect flow (`flow.py`), the only part that knows Prefect.
"""

from flows.campaign.deployments import Registered, register, serve
from flows.campaign.flow import campaign

__all__ = ["Registered", "campaign", "register", "serve"]
