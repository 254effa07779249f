"""In: renditions of shots and what became of the others. Out: a place with images and a manifest.

The manifest goes last and is the commit: who sees it finds every file that it names.
"""

from flows.publish.adcp import ADCP_JSON, as_adcp
from flows.publish.adcp_faults import adcp_faults
from flows.publish.commit import PAGES, claim, commit
from flows.publish.lying import former
from flows.publish.manifest import News, admit, merge
from flows.publish.names import places
from flows.publish.thumbnails import thumbnail

__all__ = [
    "ADCP_JSON",
    "PAGES",
    "News",
    "adcp_faults",
    "admit",
    "as_adcp",
    "claim",
    "commit",
    "former",
    "merge",
    "places",
    "thumbnail",
]
