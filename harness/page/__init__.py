"""The report: one self-contained HTML page with tables, plots and a gallery of segmentations."""

from harness.page.compose import page

__all__ = ["page"]
