"""MONAI's networks and losses as plugins, for comparison (extra ``monai``)."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness import Loss, Model, hookimpl

REQUIRES = {"monai": "cardiac-harness[monai]"}
EINOPS = {**REQUIRES, "einops": "cardiac-harness[monai]"}

MONAI = "Cardoso et al.: MONAI, an open-source framework for deep learning in healthcare. arXiv:2211.02701"
NNUNET = "Isensee et al.: nnU-Net. Nature Methods 18, 203-211, 2021"

# nnU-Net's rule for slices 8 to 10 mm apart and pixels of 1.5 to 2 mm; see levels.py.
Z = {"flat": 2, "pool_z": 1}

NETS: tuple[tuple[str, str, dict[str, Any], int, tuple[str, ...]], ...] = (
    (
        "unet",
        "residual U-Net with strided convolutions",
        {"base": 32, "depth": 4, "residual": 2, "norm": "instance", "dropout": 0.0},
        16,
        ("Kerfoot et al.: Left-Ventricle Quantification Using Residual U-Net. STACOM 2018",),
    ),
    (
        "basicunet",
        "U-Net with pooling, instance norm and leaky ReLU",
        {"base": 32, "norm": "instance", "dropout": 0.0},
        16,
        ("Falk et al.: U-Net: deep learning for cell counting. Nature Methods 16, 67-70, 2019",),
    ),
    (
        "dynunet",
        "nnU-Net's architecture with deep supervision",
        {"base": 32, "depth": 5, "most": 512, "residual": False, "deep_supervision": True, "dropout": 0.0},
        32,
        (NNUNET,),
    ),
    (
        "segresnet",
        "residual encoder-decoder with group norm, without its autoencoder",
        {"base": 16, "blocks_down": [1, 2, 2, 4], "blocks_up": [1, 1, 1], "dropout": 0.0},
        16,
        ("Myronenko: 3D MRI brain tumor segmentation. BrainLes 2018, arXiv:1810.11654",),
    ),
    (
        "swinunetr",
        "shifted-window transformer encoder with a convolutional decoder",
        {"base": 24, "blocks": [2, 2, 2, 2], "heads": [3, 6, 12, 24], "window": 7, "dropout": 0.0},
        24,
        ("Hatamizadeh et al.: Swin UNETR. BrainLes 2021, arXiv:2201.01266",),
    ),
    (
        "attentionunet",
        "U-Net with attention gates on its skip connections",
        {"base": 32, "depth": 4, "dropout": 0.0},
        16,
        ("Oktay et al.: Attention U-Net. MIDL 2018, arXiv:1804.03999",),
    ),
    (
        "unetplusplus",
        "nested U-Net with deep supervision",
        {"base": 32, "norm": "instance", "deep_supervision": True, "dropout": 0.0},
        16,
        ("Zhou et al.: UNet++. DLMIA 2018, arXiv:1807.10165",),
    ),
)
"""Name, summary, parameters in 2D, `base` in 3D, references; each is ``harness_monai.NAME:NAME``."""


@hookimpl
def harness_models() -> Iterator[Model]:
    """Each network in 2D, with context slices as channels, and in 3D, with little pooling along z."""
    for name, summary, params, base3d, references in NETS:
        own: Mapping[int, dict[str, Any]] = {2: {**params, "slices": 1}, 3: {**params, **Z, "base": base3d}}
        if name == "dynunet":
            own[3]["most"] = 320
        for dims in (2, 3):
            yield Model(
                f"monai-{name}{dims}d",
                f"harness_monai.{name}:{name}",
                dims=dims,
                summary=f"MONAI: {summary}",
                defaults=own[dims],
                references=(*references, MONAI),
                requires=EINOPS if name == "swinunetr" else REQUIRES,
            )


OVERLAP = {"background": False, "batch": True, "smooth": 1e-5}
DICE = {**OVERLAP, "weighted": True, "squared": False, "jaccard": False}

LOSSES: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("dice", "Dice", DICE, "Milletari et al.: V-Net. 3DV 2016, arXiv:1606.04797"),
    ("dice-ce", "Dice plus cross-entropy, as nnU-Net's", {**DICE, "dice": 1.0, "ce": 1.0}, NNUNET),
    (
        "dice-focal",
        "Dice plus focal",
        {**DICE, "background": True, "gamma": 2.0, "softmax": False, "dice": 1.0, "focal": 1.0},
        "Zhu et al.: AnatomyNet. Medical Physics 46, 576-589, 2019",
    ),
    (
        "focal",
        "focal",
        {"background": True, "weighted": True, "gamma": 2.0, "softmax": True},
        "Lin et al.: Focal Loss for Dense Object Detection. ICCV 2017, arXiv:1708.02002",
    ),
    (
        "tversky",
        "Tversky",
        {**OVERLAP, "alpha": 0.3, "beta": 0.7},
        "Salehi et al.: Tversky loss function. MLMI 2017, arXiv:1706.05721",
    ),
    (
        "generalized-dice",
        "generalised Dice, classes weighted by volume",
        {**OVERLAP, "background": True, "volume": "square"},
        "Sudre et al.: Generalised Dice overlap. DLMIA 2017, arXiv:1707.03237",
    ),
    (
        "generalized-dice-focal",
        "generalised Dice plus focal",
        {**OVERLAP, "background": True, "weighted": True, "volume": "square"}
        | {"gamma": 2.0, "softmax": False, "dice": 1.0, "focal": 1.0},
        "Sudre et al.: Generalised Dice overlap. DLMIA 2017, arXiv:1707.03237",
    ),
)
"""Name, summary, parameters, reference."""


@hookimpl
def harness_losses() -> Iterator[Loss]:
    """With `weighted`, the class weights are the protocol's."""
    for name, summary, params, reference in LOSSES:
        yield Loss(
            f"monai-{name}",
            f"harness_monai.losses:{name.replace('-', '_')}",
            summary=f"MONAI: {summary}",
            defaults=params,
            references=(reference, MONAI),
            requires=REQUIRES,
        )
