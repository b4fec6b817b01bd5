"""Find the files of each case, and report missing ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.data.case import Part
from harness.data.nifti import ENDINGS
from harness.errors import DataError
from harness_nifti.description import Description, Listed, stem

_NUMBERED = re.compile(r"(.+)_\d{4}")


@dataclass(frozen=True)
class Sample:
    """The files of a case; none if an `error` says why it can't be read."""

    id: str
    part: Part | None
    images: tuple[Path, ...] = ()
    label: Path | None = None
    error: DataError | None = None


def find(description: Description) -> list[Sample]:
    """All cases, sorted within each set; DataError only if there is no dataset at all.

    Without references for ``imagesTs`` there is no official split, and those images are not used.
    """
    held_out = sorted(_scan(description, "imagesTs", "labelsTs")) if _labelled(description.root) else []
    part: Part | None = "train" if held_out else None
    if description.listed is not None:
        samples = [
            _checked(description, case, part) for case in sorted(description.listed, key=lambda case: case.id)
        ]
    else:
        _require_folders(description.root)
        ids = sorted(_scan(description, "imagesTr", "labelsTr"))
        samples = [_look_up(description, id_, "imagesTr", "labelsTr", part) for id_ in ids]
    if not samples:
        raise DataError("has no training case", where=description.root, remedy="Check imagesTr and labelsTr.")
    return samples + [_look_up(description, id_, "imagesTs", "labelsTs", "test") for id_ in held_out]


def _require_folders(root: Path) -> None:
    for name in ("imagesTr", "labelsTr"):
        if not (root / name).is_dir():
            raise DataError(f"has no folder {name}", where=root, remedy="Copy the dataset again.")


def _labelled(root: Path) -> bool:
    return (root / "imagesTs").is_dir() and any(_names(root / "labelsTs"))


def _scan(description: Description, images: str, labels: str) -> set[str]:
    """The ids of all images and labels; a channel number is not part of an id."""
    ids = {stem(name) for name in _names(description.root / labels)}
    for name in _names(description.root / images):
        id_ = stem(name)
        numbered = _NUMBERED.fullmatch(id_)
        ids.add(numbered[1] if numbered and id_ not in ids else id_)
    return ids


def _names(folder: Path) -> Iterator[str]:
    # The Decathlon's archives contain a hidden "._" file for each file.
    if folder.is_dir():
        yield from (f.name for f in folder.iterdir() if f.name.endswith(ENDINGS) and f.name[0] != ".")


def _look_up(description: Description, id_: str, images: str, labels: str, part: Part | None) -> Sample:
    listed = Listed(
        id_,
        (description.root / images / f"{id_}{description.ending}",),
        description.root / labels / f"{id_}{description.ending}",
    )
    return _checked(description, listed, part)


def _checked(description: Description, listed: Listed, part: Part | None) -> Sample:
    try:
        images = _images(description, listed)
        if not listed.label.is_file():
            raise DataError(
                f"image without label: there is no {listed.label.name}",
                where=listed.label.parent,
                remedy="Add the label map, or remove the image.",
            )
    except DataError as error:
        return Sample(listed.id, part, error=error)
    return Sample(listed.id, part, images, listed.label)


def _images(description: Description, listed: Listed) -> tuple[Path, ...]:
    """One file with all channels, or one file per channel: ``CASE_0000``, ``CASE_0001``, …"""
    if len(listed.images) == 1 and not listed.images[0].is_file():
        images = _numbered(description, listed)
    else:
        images = listed.images
    for number, image in enumerate(images):
        if not image.is_file():
            name = description.channels[number] if number < len(description.channels) else number
            raise DataError(
                f"channel {name} of {listed.id} is missing: there is no {image.name}",
                where=image.parent,
                remedy="Every case needs every channel of dataset.json.",
            )
    return images


def _numbered(description: Description, listed: Listed) -> tuple[Path, ...]:
    """One file per channel, possibly missing; DataError if all are missing or there are too many."""
    single = listed.images[0]
    folder, base = single.parent, stem(single.name)
    ending = single.name.removeprefix(base)
    *images, beyond = (
        folder / f"{base}_{number:04d}{ending}" for number in range(len(description.channels) + 1)
    )
    if beyond.is_file():
        raise DataError(
            f"{beyond.name} is not among the channels in dataset.json ({', '.join(description.channels)})",
            where=folder,
        )
    if not any(image.is_file() for image in images):
        what = "label without image" if listed.label.is_file() else "image and label are missing"
        raise DataError(
            f"{what}: there is no {images[0].name} and no {single.name}",
            where=folder,
            remedy="Add the image, or remove the case.",
        )
    return tuple(images)
