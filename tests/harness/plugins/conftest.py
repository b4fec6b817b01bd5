"""Made-up distributions: what pip would leave on disk, without pip."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

Install = Callable[..., Path]
Write = Callable[[str, str], Path]

HEADER = "from harness import Dataset, Loss, Model, hookimpl\n"


@pytest.fixture(autouse=True)
def _forget_modules(tmp_path: Path) -> Iterator[None]:
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``install(name, entries, modules)`` puts a distribution on the path and gives its folder."""

    def install(
        name: str,
        entries: Mapping[str, str] | str,
        modules: Mapping[str, str] | None = None,
        *,
        version: str = "1.0",
        folder: str = "site",
    ) -> Path:
        site = tmp_path / folder
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = entries if isinstance(entries, str) else "\n".join(f"{k} = {v}" for k, v in entries.items())
        (info / "entry_points.txt").write_text(f"[harness]\n{lines}\n")
        for module, text in (modules or {}).items():
            (site / f"{module}.py").write_text(HEADER + text)
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()
        return site

    return install


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("my_model.py", text)`` makes a plugin file with the imports that it needs."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER + text)
        return path

    return write


def models(*names: str) -> str:
    """A hook that registers 2D models of these names."""
    lines = [f"    yield Model({name!r}, 'somewhere:Net', dims=2, summary='made up')" for name in names]
    return "\n".join(["@hookimpl", "def harness_models():", *lines, ""])


@pytest.fixture(name="models")
def _models() -> Callable[..., str]:
    return models
