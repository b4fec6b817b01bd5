"""The report: one page that holds everything it needs."""

from harness.page.compose import page

__all__ = ["page"]
