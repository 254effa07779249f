"""In: a campaign file, its catalogue and reference images. Out: a Reading, or every fault at once.

`campaign` reads, `outline` reads the campaign file alone and `campaign_id` its name; `References`
looks at images, `schema` is what editors check a file with.
"""

from flows.read.kept import KnownContents
from flows.read.outline import outline
from flows.read.references import References
from flows.read.schema import schema
from flows.read.spec import campaign, campaign_id

__all__ = [
    "KnownContents",
    "References",
    "campaign",
    "campaign_id",
    "outline",
    "schema",
]
