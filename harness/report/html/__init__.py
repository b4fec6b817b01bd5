"""The report: one page that holds everything it needs."""

from harness.report.html.compose import page

__all__ = ["page"]
