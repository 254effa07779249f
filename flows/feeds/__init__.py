"""In: a manifest, the products it shows and the feeds a campaign asks for. Out: the feeds' files.

Nothing is read or written here; what is wrong with a wish is told before anything is bought.
"""

from flows.feeds.files import FeedFile, feeds, paths
from flows.feeds.sound import Sound, sound

__all__ = ["FeedFile", "Sound", "feeds", "paths", "sound"]
