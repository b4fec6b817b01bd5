"""The two networks of Patravali, Jain and Chilamkurthy's ACDC 2017 poster, as plugins."""

from collections.abc import Iterator

from harness import Model, hookimpl

POSTER = (
    "Patravali, Jain, Chilamkurthy: 2D-3D Fully Convolutional Neural Networks for Cardiac MR Segmentation. "
    "STACOM 2017, arXiv:1707.09813"
)


@hookimpl
def harness_models() -> Iterator[Model]:
    """The 2D net takes context slices as channels; the 3D net never pools along z."""
    yield Model(
        "unet2d",
        "harness_unet.unet:unet2d",
        dims=2,
        summary="the poster's 2D U-Net, 32 to 512 feature maps",
        defaults={"base": 32, "depth": 4, "slices": 1, "mirror": False},
        references=(POSTER, "Ronneberger, Fischer, Brox: U-Net. MICCAI 2015, arXiv:1505.04597"),
    )
    yield Model(
        "unet3d",
        "harness_unet.unet:unet3d",
        dims=3,
        summary="the poster's 3D U-Net, 16 to 256 feature maps, no pooling along z",
        defaults={"base": 16, "depth": 4, "mirror": False},
        references=(POSTER, "Çiçek et al.: 3D U-Net. MICCAI 2016, arXiv:1606.06650"),
    )
