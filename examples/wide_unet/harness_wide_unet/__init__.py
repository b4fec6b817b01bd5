"""What Harness imports to list this plugin: facts only, so no torch."""

from harness import Model, hookimpl


@hookimpl
def harness_models():
    yield Model(
        "wide-unet",
        "harness_wide_unet.net:WideUNet",
        dims=2,
        summary="one wide level of a U-Net",
        defaults={"width": 24},
    )
