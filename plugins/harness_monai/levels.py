"""Where a network halves the image: in the plane at every level, along z only where that is worth it.

nnU-Net's rule for anisotropic volumes (Isensee et al., Nature Methods 18, 203-211, 2021, supplement):
while a voxel is more than twice as thick as wide, neither kernels nor pooling reach across slices; then
they do, and pooling along z stops where fewer than four slices would be left. Slices 8 to 10 mm apart
with pixels of 1.5 to 2 mm, ten of them, give `flat` 2 and `pool_z` 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import PluginError
from harness.plugins.records import Task

Axes = tuple[int, ...]


@dataclass(frozen=True)
class Levels:
    """`strides` of each halving and `kernels` of each level, of which there is one more; (z, y, x)."""

    strides: tuple[Axes, ...]
    kernels: tuple[Axes, ...]

    @classmethod
    def of(cls, task: Task, depth: int, flat: int = 0, pool_z: int = 0) -> Levels:
        """`depth` halvings, of which `pool_z` after the first `flat` are along z too.

        Kernels of the first `flat` levels stay within a slice. In 2D both are ignored.
        """
        where = f"{task.dims}D network"
        for name, value, least in (("depth", depth, 1), ("flat", flat, 0), ("pool_z", pool_z, 0)):
            whole(name, value, where, least)
        if task.dims == 2:
            return cls(((2, 2),) * depth, ((3, 3),) * (depth + 1))
        if flat + pool_z > depth:
            raise PluginError(
                f"flat = {flat} and pool_z = {pool_z} are more than the {depth} halvings",
                where=where,
                remedy="Lower one of them.",
            )
        halves_z = range(flat, flat + pool_z)
        return cls(
            tuple((2 if level in halves_z else 1, 2, 2) for level in range(depth)),
            tuple((1 if level < flat else 3, 3, 3) for level in range(depth + 1)),
        )

    @property
    def multiple(self) -> Axes:
        """What a size must be a multiple of along each axis."""
        factors = [1] * len(self.strides[0])
        for stride in self.strides:
            factors = [factor * step for factor, step in zip(factors, stride, strict=True)]
        return tuple(factors)


def whole(name: str, value: object, where: str, least: int = 1) -> int:
    """`value` if it is a whole number from `least` up, else PluginError."""
    if type(value) is not int or value < least:
        raise PluginError(
            f"{name} = {value!r}", where=where, remedy=f"It must be a whole number from {least} up."
        )
    return value


def check_slices(task: Task, slices: int, where: str) -> None:
    """PluginError unless the task has as many context slices as the parameter says."""
    if slices != task.slices:
        raise PluginError(f"slices = {slices}, but the task has {task.slices}", where=where)
