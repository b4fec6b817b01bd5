"""Any dataset in nnU-Net's raw layout or the Medical Segmentation Decathlon's, as one plugin."""

from collections.abc import Iterator

from harness import Dataset, hookimpl


@hookimpl
def harness_datasets() -> Iterator[Dataset]:
    """Structures are in its ``dataset.json``, so the record has none."""
    yield Dataset(
        "nifti",
        "harness_nifti.dataset:Nifti",
        summary="a folder in nnU-Net's raw layout, or the Decathlon's",
        homepage="https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md",
        defaults={"patient": "", "phase": "", "group": ""},
    )
