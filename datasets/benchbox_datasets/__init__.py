"""The bundled data sets (scikit-image's samples, any folder, Kodak, CLIC 2020, Tecnick, manifests of one's own) and
the command ``benchbox dataset``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    import click

    from benchbox import DatasetInfo


@hookimpl
def benchbox_datasets() -> Sequence[DatasetInfo]:
    """All bundled data sets. Reads the bundled manifests, but no picture and nothing from the network."""
    from benchbox_datasets.folder import FolderInfo
    from benchbox_datasets.info import BUNDLED, ManifestInfo, OwnManifestInfo, SamplesInfo, bundled

    samples = bundled("samples")
    sets = [bundled(name) for name in BUNDLED]
    return [
        SamplesInfo(id=samples.id, title=samples.title, manifest=samples),
        FolderInfo(),
        OwnManifestInfo(),
        *(ManifestInfo(id=m.id, title=m.title, manifest=m) for m in sets),
    ]


@hookimpl
def benchbox_commands() -> Sequence[click.Command]:
    """The group ``benchbox dataset``."""
    from benchbox_datasets.commands import dataset

    return [dataset]
