"""Data sets that a manifest describes: the bundled ones, the samples, and the user's own (``manifest:PATH``)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbox.dataset import Dataset, DatasetInfo, FetchProgress, FileSample
from benchbox.errors import ChecksumError, DatasetError
from benchbox.image import Image
from benchbox_datasets import manifest as manifests
from benchbox_datasets import storage
from benchbox_datasets.folder import readable
from benchbox_datasets.manifest import FileEntry, Manifest

BUNDLED = (
    "kodak",
    "clic2020-professional-valid",
    "clic2020-professional-test",
    "clic2020-mobile-valid",
    "clic2020-mobile-test",
    "tecnick",
)


def bundled(name: str) -> Manifest:
    """The manifest ``NAME.toml`` of this package."""
    file = f"{name}.toml"
    return manifests.parse(Path(__file__).with_name(file).read_bytes(), file)


@dataclass(frozen=True)
class ManifestSample(FileSample):
    """A picture of a manifest. If the manifest has only the checksum of its file, `load` checks that. A pixel digest
    (`known_sha256`) is checked by the caller of `load`, as for every sample."""

    file_sha256: str | None = None

    def load(self) -> Image:
        if self.file_sha256 is None or self.known_sha256 is not None:
            return super().load()
        try:
            got = storage.sha256_of(self.path)
        except OSError:
            return super().load()  # its error says why the file cannot be read
        if got != self.file_sha256:
            raise ChecksumError(f"{self.path}: SHA-256 is {got}, expected {self.file_sha256}; replace the file")
        return super().load()


@dataclass(frozen=True, kw_only=True)
class ManifestInfo(DatasetInfo):
    """A data set that can be fetched into the folder of all data sets.

    Attributes:
        manifest: its files and where they come from.
    """

    manifest: Manifest
    fetchable: bool = True

    def folder(self) -> Path:
        """The folder that its files are in, or will be fetched into."""
        return storage.data_home() / self.id

    def open(self, argument: str) -> Dataset:
        folder = self.folder()
        lock = storage.read_lock(folder)
        problem = self._problem(folder, storage.entries(self.manifest, lock))
        if problem:
            raise DatasetError(problem)
        notes: tuple[str, ...] = ()
        if lock is not None and lock.origin == "disk":
            notes = ("its files came from a folder of the user's; their checksums were recorded then",)
        return _dataset(self.id, self.manifest, folder, storage.entries(self.manifest, lock), notes)

    def missing(self) -> str | None:
        try:
            folder = self.folder()
            return self._problem(folder, storage.entries(self.manifest, storage.read_lock(folder)))
        except DatasetError as error:
            return str(error)

    def fetch(self, source: Path | None, progress: FetchProgress) -> Sequence[Path]:
        from benchbox_datasets.fetch import fetch  # imports urllib, tarfile, zipfile: not needed to list data sets

        return fetch(self.manifest, self.folder(), source, progress)

    def _problem(self, folder: Path, files: Sequence[FileEntry]) -> str | None:
        found = storage.problems(folder, files)
        if files and not found:
            return None
        state = f"is not complete in {folder} ({_some(found)})" if len(found) < len(files) else f"is not in {folder}"
        return (f"data set {self.id} {state}: run `benchbox fetch {self.id}`, or `benchbox fetch {self.id} --from DIR` "
                "if DIR holds its files already")


@dataclass(frozen=True, kw_only=True)
class SamplesInfo(ManifestInfo):
    """The freely licensed photographs in scikit-image's wheel; skimage itself is not imported."""

    fetchable: bool = False

    def folder(self) -> Path:
        spec = importlib.util.find_spec("skimage")
        places = list(spec.submodule_search_locations or ()) if spec else []
        if not places:
            raise DatasetError("the samples ship with scikit-image, which is absent: `pip install scikit-image`")
        return Path(places[0]) / "data"

    def fetch(self, source: Path | None, progress: FetchProgress) -> Sequence[Path]:
        raise DatasetError("the samples ship with scikit-image, so there is nothing to fetch: use --dataset samples")

    def _problem(self, folder: Path, files: Sequence[FileEntry]) -> str | None:
        found = storage.problems(folder, files)
        if not found:
            return None
        return (f"scikit-image's folder {folder} is not complete ({_some(found)}): "
                "`pip install --force-reinstall --no-deps scikit-image`")


class OwnManifestInfo(DatasetInfo):
    """``manifest:PATH``: a manifest of the user's own; its files are below the manifest's folder."""

    id = "manifest"
    title = "pictures listed in a manifest of your own, below its folder"
    argument = "PATH"

    def open(self, argument: str) -> Dataset:
        path = Path(argument).expanduser().absolute()
        manifest = manifests.load(path)
        if not manifest.files:
            raise DatasetError(f"manifest {path}: it lists no [[files]]; `benchbox dataset describe {path.parent}` "
                               "prints them")
        found = storage.problems(path.parent, manifest.files)
        if found:
            raise DatasetError(f"manifest {path}: {_some(found)}; put them below {path.parent}, or correct it")
        return _dataset(f"manifest:{argument}", manifest, path.parent, manifest.files, ())


def _dataset(
    name: str, manifest: Manifest, folder: Path, files: Sequence[FileEntry], notes: tuple[str, ...]
) -> Dataset:
    samples = tuple(ManifestSample(readable(e.file), folder / e.file, e.pixels_sha256, e.sha256) for e in files)
    said = (
        *((f"licence: {manifest.licence}",) if manifest.licence else ()),
        *manifest.notes,
        *(f"{entry.file}: {entry.note}" for entry in files if entry.note),
        *notes,
    )
    return Dataset(name, manifest.title, samples, manifest.version, said, manifest.homepage or str(folder))


def _some(phrases: Sequence[str]) -> str:
    return "; ".join(phrases[:3]) + (f" and {len(phrases) - 3} more" if len(phrases) > 3 else "")
