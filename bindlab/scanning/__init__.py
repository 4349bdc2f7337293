"""The black-box view of a port that somebody else serves: try every address, and deduce.

Where the snapshot of this machine meets real attempts. Reads no other process's state.
"""

from bindlab.scanning.doors import Door, Met, doors_of, try_doors
from bindlab.scanning.scan import Answering, answering

__all__ = ["Answering", "Door", "Met", "answering", "doors_of", "try_doors"]
