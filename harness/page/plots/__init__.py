"""Plots as Vega-Lite specifications with their data: the page draws them, and so do static pictures."""

from harness.page.plots.dataset_plots import every_plot
from harness.page.plots.figure import Plot, Series

__all__ = ["Plot", "Series", "every_plot"]
