"""A workspace on disk: its database, its streams, and the columns of results. `benchbox.store.frame`, which imports
pandas, turns the rows of a run into a frame."""

from benchbox.store.accepted import MISSING, STATUSES, check_texts, check_values, fault
from benchbox.store.columns import COLUMNS, Column
from benchbox.store.database import EmptyStore, Store, WritableStore
from benchbox.store.formers import MARK, MeasuredWith, Since
from benchbox.store.held import UNSCORED, Wanted
from benchbox.store.merging import MergingStore, Taken
from benchbox.store.streams import Streams
from benchbox.store.taken_runs import TakenRun
from benchbox.store.workspace import PUBLISHED, Workspace, locate, shown

__all__ = [
    "COLUMNS", "MARK", "MISSING", "PUBLISHED", "STATUSES", "UNSCORED", "Column", "EmptyStore", "MeasuredWith",
    "MergingStore", "Since", "Store", "Streams", "Taken", "TakenRun", "Wanted", "Workspace", "WritableStore",
    "check_texts", "check_values", "fault", "locate", "shown",
]  # fmt: skip
