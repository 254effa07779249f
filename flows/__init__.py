"""Shotlist: a campaign is read, planned into a shot list, shot, finished and published.

Start reading at `campaign`.
"""

__version__ = "0.1.0"
