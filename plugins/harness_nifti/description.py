"""``dataset.json``: the names of label values and channels, and the cases that it lists.

nnU-Net (version 2) has ``channel_names``, ``labels`` from names to values, and ``file_ending``;
the Decathlon and version 1 of nnU-Net have ``modality``, ``labels`` from values to names, and a
list ``training``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.nifti import ENDINGS
from harness.errors import DataError

HOW_TO_POINT = (
    "Give the folder that has dataset.json, imagesTr and labelsTr: use --data nifti=PATH, set "
    "HARNESS_NIFTI_ROOT, or write root under [datasets.nifti] in harness.toml."
)


@dataclass(frozen=True)
class Listed:
    """A training case that ``dataset.json`` lists; paths are in the dataset's folder."""

    id: str
    images: tuple[Path, ...]
    label: Path


@dataclass(frozen=True)
class Description:
    """The content of ``dataset.json``.

    `structures` maps names to label values, sorted by value and without the background; `channels` has the
    names of the image channels. `listed` has the cases, or None if they are found in the folders.
    """

    root: Path
    structures: dict[str, int]
    channels: tuple[str, ...]
    ending: str
    listed: tuple[Listed, ...] | None


def describe(root: Path) -> Description:
    """Read and check ``dataset.json`` in `root`; DataError if it is incomplete or invalid."""
    path = root / "dataset.json"
    content = _read(root, path)
    ending = content.get("file_ending", ENDINGS[0])
    if ending not in ENDINGS:
        raise DataError(
            f"file_ending {ending!r} is not supported",
            where=path,
            remedy=f"Convert to {' or '.join(ENDINGS)}.",
        )
    return Description(
        root, _structures(path, content), _channels(path, content), ending, _listed(path, content)
    )


def stem(name: str) -> str:
    """A file's name without ``.nii.gz`` or ``.nii``."""
    for ending in ENDINGS:
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def _read(root: Path, path: Path) -> Mapping[str, Any]:
    if not root.is_dir():
        raise DataError("no such folder", where=root, remedy=HOW_TO_POINT)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        inside = sorted(root.glob("*/dataset.json"))
        remedy = f"Did you mean {inside[0].parent}?" if inside else HOW_TO_POINT
        raise DataError("has no dataset.json", where=root, remedy=remedy) from error
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", where=path) from error
    except ValueError as error:
        raise DataError(f"is not valid JSON: {error}", where=path) from error
    if not isinstance(content, dict):
        raise DataError("is not a JSON object", where=path)
    return content


def _structures(path: Path, content: Mapping[str, Any]) -> dict[str, int]:
    labels = content.get("labels")
    if not isinstance(labels, dict) or not labels:
        raise DataError(
            "has no 'labels'", where=path, remedy='Write for example "labels": {"background": 0, "liver": 1}.'
        )
    pairs = list(labels.items())
    if all(key.isdecimal() for key in labels):
        pairs = [(name, value) for value, name in labels.items()]
    structures: dict[str, int] = {}
    for name, given in pairs:
        if not isinstance(name, str) or not name.strip():
            raise DataError(f"label {given!r} has the invalid name {name!r}", where=path)
        value = _value(path, name, given)
        if name == "background" and value:
            raise DataError(f"the background has value {value}", where=path, remedy="It must be 0.")
        if name.lower() == "ignore":
            raise DataError(
                f"has an ignore label (value {value}): voxels without a reference can't be scored",
                where=path,
                remedy="Label these voxels, or remove these cases and this label.",
            )
        if name in structures or value in structures.values():
            raise DataError(f"label '{name}' with value {value}: duplicate name or value", where=path)
        structures[name] = value
    # Sorted by value, so that the order in the file does not matter.
    ordered = {name: value for name, value in sorted(structures.items(), key=lambda pair: pair[1]) if value}
    if not ordered:
        raise DataError("'labels' has no structure besides the background", where=path)
    return ordered


def _value(path: Path, name: str, given: object) -> int:
    if isinstance(given, list):
        if len(given) != 1:
            raise DataError(
                f"label '{name}' is a region with several values {given}",
                where=path,
                remedy="Structures must not overlap: give each label value its own name.",
            )
        given = given[0]
    if isinstance(given, str) and given.isdecimal():
        given = int(given)
    if type(given) is not int or not 0 <= given < 256:
        raise DataError(f"label '{name}' has value {given!r}, expected an integer from 0 to 255", where=path)
    return given


def _channels(path: Path, content: Mapping[str, Any]) -> tuple[str, ...]:
    named = content.get("channel_names", content.get("modality"))
    if not isinstance(named, dict) or not named:
        raise DataError(
            "has neither 'channel_names' nor 'modality'",
            where=path,
            remedy='Write for example "channel_names": {"0": "T1", "1": "T2"}.',
        )
    wanted = [str(number) for number in range(len(named))]
    if set(named) != set(wanted):
        raise DataError(f"channels are numbered {', '.join(named)}, expected {', '.join(wanted)}", where=path)
    return tuple(str(named[number]) for number in wanted)


def _listed(path: Path, content: Mapping[str, Any]) -> tuple[Listed, ...] | None:
    """Cases under ``training``, or under nnU-Net's ``dataset``."""
    root = path.parent
    try:
        if "training" in content:
            pairs = [(Path(case["image"]), Path(case["label"])) for case in content["training"]]
            return tuple(Listed(stem(label.name), (root / image,), root / label) for image, label in pairs)
        if "dataset" in content:
            return tuple(
                Listed(id_, tuple(root / image for image in case["images"]), root / case["label"])
                for id_, case in content["dataset"].items()
            )
    except (TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"its list of cases is invalid ({type(error).__name__}: {error})",
            where=path,
            remedy='Each of "training" needs "image" and "label"; each of "dataset" "images" and "label".',
        ) from error
    return None
