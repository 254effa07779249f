"""In: a campaign file and what a person or a schedule wants of it. Out: how the run ended, or the
deployments that run it: the line as a Prefect flow (`flow.py`), the only part that knows Prefect.
"""

from flows.campaign.deployments import Registered, register
from flows.campaign.flow import campaign
from flows.campaign.served import serve
from flows.campaign.watching import Happened

__all__ = ["Happened", "Registered", "campaign", "register", "serve"]
