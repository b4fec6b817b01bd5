"""One plugin for all datasets in the raw layout of nnU-Net or the Medical Segmentation Decathlon."""

from collections.abc import Iterator

from harness import Dataset, hookimpl


@hookimpl
def harness_datasets() -> Iterator[Dataset]:
    """The structures are in ``dataset.json``, so the record has none."""
    yield Dataset(
        "nifti",
        "harness_nifti.dataset:Nifti",
        summary="a folder in the raw layout of nnU-Net or the Decathlon",
        homepage="https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md",
        defaults={"patient": "", "phase": "", "group": ""},
    )
