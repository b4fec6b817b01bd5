"""Pictures of a few patients: image, reference, and what each entry drew, slice by slice."""

from harness.page.gallery.choose import Told, telling
from harness.page.gallery.draw import draw, picture
from harness.page.gallery.sheet import Drawn, Gallery, Sheet

__all__ = ["Drawn", "Gallery", "Sheet", "Told", "draw", "picture", "telling"]
