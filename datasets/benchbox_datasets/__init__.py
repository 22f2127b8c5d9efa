"""The bundled data sets: the samples of scikit-image, any folder, manifests (Kodak, CLIC 2020, Tecnick, one's own)."""

from __future__ import annotations

from collections.abc import Sequence

from benchbox import DatasetInfo, hookimpl


@hookimpl
def benchbox_datasets() -> Sequence[DatasetInfo]:
    """All of them; reads the bundled manifests, no picture and no network."""
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
