"""The three losses of the ACDC 2017 poster, as plugins."""

from collections.abc import Iterator

from harness import Loss, hookimpl

POSTER = (
    "Patravali, Jain, Chilamkurthy: 2D-3D Fully Convolutional Neural Networks for Cardiac MR Segmentation. "
    "STACOM 2017, arXiv:1707.09813"
)


@hookimpl
def harness_losses() -> Iterator[Loss]:
    """The class weights are the protocol's."""
    yield Loss(
        "cross-entropy",
        "harness_losses.losses:cross_entropy",
        summary="weighted cross-entropy",
        references=(POSTER,),
    )
    yield Loss(
        "log-dice",
        "harness_losses.losses:log_dice",
        summary="weighted sum over classes of log(2 - Dice), as in the poster",
        defaults={"form": "poster", "epsilon": 1.0},
        references=(POSTER,),
    )
    yield Loss(
        "log-dice-ce",
        "harness_losses.losses:log_dice_ce",
        summary="log-dice plus cross-entropy",
        defaults={"form": "poster", "epsilon": 1.0, "ce": 1.0},
        references=(POSTER,),
    )
