"""One volume to segment. The axes, and those of `spacing_mm`, are always ``(z, y, x)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

Part = Literal["train", "test"]


@dataclass(frozen=True)
class Volume:
    """A case's content in memory.

    `image` is float32 ``(C, z, y, x)``; `labels` are integers ``(z, y, x)`` in the dataset's
    label values, None where there is no reference; `spacing_mm` is ``(z, y, x)`` in millimetres.
    """

    image: NDArray[np.float32]
    labels: NDArray[np.uint8] | None
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True)
class Case:
    """One volume to segment, read lazily by ``read()``.

    `id` is unique within the dataset; `patient` is the unit of splitting and statistics;
    `phase` is for example ``"ED"``, and None in a dataset without phases; `group` (a diagnosis)
    stratifies folds; `part` is the set of the official split that the case belongs to, if there is
    such a split. `files` are those that `read` opens, images first and the reference label map last:
    their size and time show whether a cached digest is stale. `read` raises `harness.errors.DataError`.
    """

    id: str
    patient: str
    phase: str | None
    read: Callable[[], Volume]
    files: tuple[Path, ...] = ()
    group: str | None = None
    part: Part | None = None


class DatasetSource(Protocol):
    """What a dataset plugin's target returns."""

    def cases(self) -> Sequence[Case]: ...
