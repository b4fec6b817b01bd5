"""Datasets with a mistake each, of the kinds that people make."""

import dataclasses
import functools
import itertools
import random
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from broken import Mistakes

from harness import Case, Volume
from harness.errors import DataError

MISTAKES = Mistakes()
breaks = MISTAKES.breaks

STRUCTURES = {"RV": 1, "MYO": 2, "LV": 3}
PHASES = ("ED", "ES")
SPACING_MM = (8.0, 1.5, 1.5)


def heart(number=0, changes=MappingProxyType({})):
    """A made volume; `changes` are fields to replace."""
    noise = np.random.default_rng(number)
    labels = noise.integers(0, 4, (3, 8, 8)).astype(np.uint8)
    image = (labels + noise.normal(0, 0.1, labels.shape))[None].astype(np.float32)
    return dataclasses.replace(Volume(image, labels, SPACING_MM), **changes)


class Hearts:
    """A dataset without a mistake: hearts from a seed, four patients."""

    changes: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, root):
        self.root = root

    def cases(self):
        for number, phase in itertools.product(range(4), PHASES):
            patient = f"p{number}"
            yield Case(
                self.id(patient, phase),
                patient,
                self.phase(phase),
                self.read(number),
                part=self.part(number, phase),
            )

    def id(self, patient, phase):
        return f"{patient}_{phase}"

    def phase(self, phase):
        return phase

    def part(self, number, phase):
        return "test" if number == 0 else "train"

    def read(self, number):
        return functools.partial(heart, number, dict(self.changes))


class Files(Hearts):
    """The same in files, an image and a label map a case."""

    def cases(self):
        for number in range(4):
            image, labels = (self.root / f"p{number}_{what}.npy" for what in ("image", "labels"))
            volume = heart(number)
            np.save(image, volume.image)
            np.save(labels, volume.labels)
            yield Case(
                f"p{number}_ED",
                f"p{number}",
                "ED",
                functools.partial(load, image, labels),
                self.files(image, labels),
            )

    def files(self, image, labels):
        return (image, labels)


def load(image, labels):
    return Volume(np.load(image), np.load(labels), SPACING_MM)


@breaks("opens")
class Empty(Hearts):
    def cases(self):
        return []


@breaks("opens")
class NoFolder(Hearts):
    def __init__(self):
        super().__init__(None)


@breaks("opens")
class PathAsId(Hearts):
    def id(self, patient, phase):
        return f"{patient}/{phase}"


@breaks("opens")
class GivesVolumes(Hearts):
    def cases(self):
        return [heart()]


@breaks("lazy")
class ReadsWhileListing(Files):
    def cases(self):
        for case in super().cases():
            case.read()
            yield case


@breaks("ids")
class PhaseNotInId(Hearts):
    def id(self, patient, phase):
        return patient


@breaks("phases")
class UndeclaredPhase(Hearts):
    def phase(self, phase):
        return phase.lower()


@breaks("phases")
class NoPhase(Hearts):
    def phase(self, phase):
        return None


@breaks("phases")
class TwiceTheSame(Hearts):
    def phase(self, phase):
        return "ED"


@breaks("split")
class SplitByScan(Hearts):
    def part(self, number, phase):
        return "test" if phase == "ES" else "train"


@breaks("split")
class Validation(Hearts):
    def part(self, number, phase):
        return "validation" if number == 0 else "train"


@breaks("split")
class HalfAPart(Hearts):
    def part(self, number, phase):
        return "test" if number == 0 else None


@breaks("reads")
class GivesTuple(Hearts):
    def read(self, number):
        return functools.partial(tuple, [1, 2, 3])


@breaks("reads")
class NoReference(Hearts):
    changes = MappingProxyType({"labels": None})


@breaks("reads")
class Damaged(Hearts):
    def read(self, number):
        return functools.partial(fail, f"p{number}.nii.gz")


def fail(name):
    raise DataError("is cut short", where=name, remedy="Copy it again.")


@breaks("spacing")
class TwoSizes(Hearts):
    changes = MappingProxyType({"spacing_mm": (1.5, 1.5)})


@breaks("spacing")
class ZeroSpacing(Hearts):
    changes = MappingProxyType({"spacing_mm": (0.0, 1.5, 1.5)})


@breaks("spacing")
class NoSpacing(Hearts):
    changes = MappingProxyType({"spacing_mm": None})


@breaks("grids")
class NoChannelAxis(Hearts):
    changes = MappingProxyType({"image": np.zeros((3, 8, 8), np.float32)})


@breaks("grids")
class Transposed(Hearts):
    changes = MappingProxyType({"image": np.zeros((1, 8, 8, 3), np.float32)})


@breaks("intensities")
class NotANumber(Hearts):
    changes = MappingProxyType({"image": np.full((1, 3, 8, 8), np.nan, np.float32)})


@breaks("channels")
class OneMoreChannel(Hearts):
    def read(self, number):
        return functools.partial(heart, number, {"image": np.zeros((1 + number % 2, 3, 8, 8), np.float32)})


@breaks("label-values")
class Undeclared(Hearts):
    changes = MappingProxyType({"labels": np.full((3, 8, 8), 255, np.uint8)})


@breaks("label-values")
class Interpolated(Hearts):
    changes = MappingProxyType({"labels": np.full((3, 8, 8), 0.5, np.float32)})


@breaks("label-values")
class NothingThere(Hearts):
    changes = MappingProxyType({"labels": np.zeros((3, 8, 8), np.uint8)})


@breaks("files")
class LostFile(Files):
    def files(self, image, labels):
        return (image.with_suffix(".nii.gz"), labels)


@breaks("files")
class ForgottenLabels(Files):
    def files(self, image, labels):
        return (image,)


@breaks("rereads")
class FreshNoise(Hearts):
    def read(self, number):
        return functools.partial(noisy, number)


def noisy(number):
    volume = heart(number)
    return dataclasses.replace(volume, image=volume.image + random.SystemRandom().random())


@breaks("manifest")
class DrawnPatients(Hearts):
    def cases(self):
        names = random.SystemRandom().sample(range(100), 4)
        for case in super().cases():
            patient = f"q{names[int(case.patient[1:])]}"
            yield dataclasses.replace(case, id=f"{patient}_{case.phase}", patient=patient)


@breaks("threads")
class SharedBuffer(Hearts):
    """Reads into one buffer, and looks at it a moment later."""

    def __init__(self, root):
        super().__init__(root)
        self.buffer = [heart()]

    def read(self, number):
        return functools.partial(self.fill, number)

    def fill(self, number):
        self.buffer[0] = heart(number)
        time.sleep(0.01)
        return self.buffer[0]


class Lambda(Hearts):
    """What is no mistake: nothing has to be pickled."""

    def read(self, number):
        return lambda: heart(number)
