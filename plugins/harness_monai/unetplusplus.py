"""MONAI's BasicUNetPlusPlus: a nested U-Net whose every depth gives logits of full size."""

from __future__ import annotations

from monai.networks.nets import BasicUNetPlusPlus
from torch import Tensor, nn

from harness.plugins.records import Task
from harness_monai.basicunet import DEPTH, features, norm_of, restride
from harness_monai.levels import Levels, check_slices
from harness_monai.padding import Padded


class DeepestFirst(nn.Module):
    """The deepest output first, as the harness weighs them; in evaluation mode it alone."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Logits ``(B, K, ...)`` of the size of `x`; in training of each depth."""
        outputs: list[Tensor] = self.net(x)
        return outputs[::-1] if self.training and len(outputs) > 1 else outputs[-1]


def unetplusplus(
    task: Task,
    base: int = 32,
    norm: str = "instance",
    deep_supervision: bool = True,
    dropout: float = 0.0,
    slices: int = 1,
    flat: int = 0,
    pool_z: int = 0,
) -> Padded:
    """Maps as those of `basicunet`. Without `deep_supervision` only the deepest output is made."""
    where = f"monai-unetplusplus{task.dims}d"
    check_slices(task, slices, where)
    levels = Levels.of(task, DEPTH, flat, pool_z)
    net = BasicUNetPlusPlus(
        spatial_dims=task.dims,
        in_channels=task.channels,
        out_channels=task.classes,
        features=features(base, where),
        deep_supervision=deep_supervision,
        norm=norm_of(norm),
        dropout=dropout,
    )
    for level, stride in enumerate(levels.strides, 1):
        ups = [getattr(net, f"upcat_{level - 1}_{column}") for column in range(1, DEPTH + 2 - level)]
        restride(getattr(net, f"conv_{level}_0"), ups, stride)
    if not deep_supervision:
        # MONAI computes these and throws them away: they would cost time and never learn.
        for column in range(1, DEPTH):
            setattr(net, f"final_conv_0_{column}", nn.Identity())
    return Padded(DeepestFirst(net), levels.multiple)
