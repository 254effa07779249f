"""In: renditions of shots and what became of the others. Out: a place with images and a manifest.

The manifest goes last and is the commit: who sees it finds every file that it names.
"""

from flows.publish.commit import PAGES, commit
from flows.publish.manifest import News, admit, former, merge
from flows.publish.names import places
from flows.publish.thumbnails import thumbnail

__all__ = ["PAGES", "News", "admit", "commit", "former", "merge", "places", "thumbnail"]
