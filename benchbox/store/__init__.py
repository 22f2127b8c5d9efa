"""What is kept: a workspace with its database and its streams, the columns of results, and (in `benchbox.store.frame`,
which brings pandas) the frame that a run's rows become."""

from benchbox.store.columns import COLUMNS, Column
from benchbox.store.database import UNSCORED, EmptyStore, Store, WritableStore
from benchbox.store.streams import Streams
from benchbox.store.workspace import Workspace, locate, shown

__all__ = [
    "COLUMNS", "UNSCORED", "Column", "EmptyStore", "Store", "Streams", "Workspace", "WritableStore", "locate", "shown",
]  # fmt: skip
