"""A dataset as a plan needs it: its folder, its cases and its split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.config.load import Project
from harness.config.protocol import Protocol
from harness.contract.local import LocalPaths
from harness.contract.spec import DatasetSpec
from harness.data.manifest import Manifest, build_manifest
from harness.data.source import Source, open_record
from harness.data.split import Split, make_split
from harness.errors import ConfigError, nearest
from harness.plan.choice import Choice
from harness.plugins.records import Dataset
from harness.store.atomic import digest
from harness.store.runs import RunsFolder


@dataclass(frozen=True)
class Data:
    """A dataset that was opened and split. `memory` is the file that caches its manifest."""

    choice: Choice
    root: Path
    memory: Path
    source: Source
    manifest: Manifest
    split: Split

    def spec(self) -> DatasetSpec:
        """The dataset in the specification of a run."""
        return DatasetSpec(
            **self.choice.as_spec(),
            structures=self.source.structures,
            phases=self.source.phases,
            cases=len(self.manifest.cases),
            patients=len(self.manifest.patients),
        )

    def local(
        self, runs: RunsFolder, plugin_files: tuple[Path, ...], observers: Mapping[str, str] | None = None
    ) -> LocalPaths:
        """The paths on this machine that a worker needs."""
        return LocalPaths(
            root=str(self.root.resolve()),
            cache=str(runs.cache.resolve()),
            manifest=str(self.memory.resolve()),
            plugin_files=tuple(str(file.absolute()) for file in plugin_files),
            observers=dict(observers or {}),
        )


def root_of(project: Project, choice: Choice, runs: RunsFolder, data_roots: Mapping[str, Path]) -> Path:
    """The folder of a dataset: the configured one, or one below `runs` for a generated dataset."""
    return project.dataset_root(choice.name, data_roots) or runs.generated(choice.name)


def open_choice(choice: Choice, root: Path) -> Source:
    """The cases of a dataset in the folder `root`."""
    record = choice.record
    assert isinstance(record, Dataset)
    return open_record(record, root, choice.params)


def open_data(
    project: Project,
    choice: Choice,
    protocol: Protocol,
    runs: RunsFolder,
    data_roots: Mapping[str, Path],
    advance: Callable[[int, int], None],
) -> Data:
    """Open the dataset that `choice` names, read its new files, check it and split it.

    Its root is the one in `data_roots`, the environment or harness.toml. A dataset without a root is
    generated, below `runs`.
    """
    root = root_of(project, choice, runs, data_roots)
    source = open_choice(choice, root)
    unknown = [name for name in protocol.class_weights if name not in ("background", *source.structures)]
    if unknown:
        raise ConfigError(
            f"'{unknown[0]}' is not a structure of {choice.name}",
            where="protocol.class_weights",
            remedy=nearest(unknown[0], ("background", *source.structures)),
        )
    memory = runs.cache / "manifests" / f"{choice.name}-{digest(str(root.resolve()))[:12]}.json"
    manifest = build_manifest(source.cases, source.structures, memory, advance)
    split = make_split(
        manifest,
        kind=protocol.split,
        folds=protocol.folds,
        seed=protocol.split_seed,
        validation=protocol.validation,
        dataset=choice.name,
    )
    return Data(choice, root, memory, source, manifest, split)
