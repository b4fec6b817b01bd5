"""Which files are which case's, and what is missing."""

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
    """A case's files. With an `error` there are none: the case can't be read, and says why."""

    id: str
    part: Part | None
    images: tuple[Path, ...] = ()
    label: Path | None = None
    error: DataError | None = None


def find(told: Description) -> list[Sample]:
    """All cases, sorted in each part; DataError only where there is no dataset at all.

    Without references for ``imagesTs`` there is no official split, and what lies there is not used.
    """
    held_out = sorted(_scan(told, "imagesTs", "labelsTs")) if _labelled(told.root) else []
    part: Part | None = "train" if held_out else None
    if told.listed is not None:
        samples = [_checked(told, one, part) for one in sorted(told.listed, key=lambda one: one.id)]
    else:
        _demand(told.root)
        ids = sorted(_scan(told, "imagesTr", "labelsTr"))
        samples = [_look_up(told, id_, "imagesTr", "labelsTr", part) for id_ in ids]
    if not samples:
        raise DataError("has no training case", where=told.root, remedy="Look into imagesTr and labelsTr.")
    return samples + [_look_up(told, id_, "imagesTs", "labelsTs", "test") for id_ in held_out]


def _demand(root: Path) -> None:
    for name in ("imagesTr", "labelsTr"):
        if not (root / name).is_dir():
            raise DataError(f"there is no folder {name}", where=root, remedy="Copy the dataset again.")


def _labelled(root: Path) -> bool:
    return (root / "imagesTs").is_dir() and any(_names(root / "labelsTs"))


def _scan(told: Description, images: str, labels: str) -> set[str]:
    """Ids of all that has an image or a label; a channel's number is no part of an id."""
    ids = {stem(name) for name in _names(told.root / labels)}
    for name in _names(told.root / images):
        one = stem(name)
        numbered = _NUMBERED.fullmatch(one)
        ids.add(numbered[1] if numbered and one not in ids else one)
    return ids


def _names(folder: Path) -> Iterator[str]:
    # The Decathlon's archives carry a hidden "._" twin of each file.
    if folder.is_dir():
        yield from (f.name for f in folder.iterdir() if f.name.endswith(ENDINGS) and f.name[0] != ".")


def _look_up(told: Description, id_: str, images: str, labels: str, part: Part | None) -> Sample:
    listed = Listed(
        id_,
        (told.root / images / f"{id_}{told.ending}",),
        told.root / labels / f"{id_}{told.ending}",
    )
    return _checked(told, listed, part)


def _checked(told: Description, listed: Listed, part: Part | None) -> Sample:
    try:
        images = _images(told, listed)
        if not listed.label.is_file():
            raise DataError(
                f"image without label: there is no {listed.label.name}",
                where=listed.label.parent,
                remedy="Add the label map, or remove the image.",
            )
    except DataError as error:
        return Sample(listed.id, part, error=error)
    return Sample(listed.id, part, images, listed.label)


def _images(told: Description, listed: Listed) -> tuple[Path, ...]:
    """One file with all channels, or one a channel: ``CASE_0000``, ``CASE_0001``, …"""
    if len(listed.images) == 1 and not listed.images[0].is_file():
        images = _numbered(told, listed)
    else:
        images = listed.images
    for number, image in enumerate(images):
        if not image.is_file():
            name = told.channels[number] if number < len(told.channels) else number
            raise DataError(
                f"channel {name} of {listed.id} is missing: there is no {image.name}",
                where=image.parent,
                remedy="Every case needs every channel of dataset.json.",
            )
    return images


def _numbered(told: Description, listed: Listed) -> tuple[Path, ...]:
    """The files of each channel, some of which may be missing; DataError if all are, or one is too many."""
    single = listed.images[0]
    folder, base = single.parent, stem(single.name)
    ending = single.name.removeprefix(base)
    *images, beyond = (folder / f"{base}_{number:04d}{ending}" for number in range(len(told.channels) + 1))
    if beyond.is_file():
        raise DataError(
            f"{beyond.name} is a channel more than dataset.json names ({', '.join(told.channels)})",
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
