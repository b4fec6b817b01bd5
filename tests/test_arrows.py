"""The arrows between rooms point one way, and light rooms import nothing heavy.

docs/architecture.md draws them; this test is what keeps the drawing true.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "harness"

BELOW = {
    "contract": set(),
    "cli": {
        *("session", "testing", "scaffold", "views", "tables", "board", "probe", "execute", "plan", "data"),
        *("contract", "store", "config", "plugins"),
    },
    "session": {
        *("plan", "execute", "probe", "pipeline", "board", "stats", "tables", "views", "page"),
        *("contract", "measure", "metrics", "data", "plugins", "config", "store"),
    },
    "testing": {"contract", "train", "predict", "measure", "data", "plugins"},
    "scaffold": {"plugins"},
    "probe": {
        "contract",
        "execute",
        "pipeline",
        "plan",
        "train",
        "predict",
        "measure",
        "data",
        "store",
        "plugins",
    },
    "execute": {"contract", "pipeline", "plan", "measure", "store", "plugins"},
    "pipeline": {"contract", "train", "predict", "metrics", "measure", "data", "store", "plugins"},
    "page": {"views", "tables", "board", "stats", "metrics", "store"},
    # Besides leaderboards, views show what these rooms make: plans, forecasts, plugins, findings of an
    # audit, outcomes of checks. They import types alone, so that they stay as light as what they show.
    "views": {
        "contract",
        *("tables", "board", "stats", "metrics", "store"),
        *("plan", "probe", "data", "testing"),
    },
    "board": {"contract", "plan", "stats", "metrics", "store", "config"},
    "tables": {"metrics"},
    "stats": set(),
    "plan": {"contract", "data", "store", "config", "plugins"},
    "train": {"contract", "predict", "measure", "data", "store", "plugins"},
    "predict": {"contract", "measure", "data", "plugins"},
    "measure": {"contract"},
    "metrics": {"store"},
    "data": {"contract", "metrics", "store", "plugins"},
    "store": {"contract"},
    "config": {"contract", "store", "metrics"},
    "plugins": set(),
}
"""What each room may import besides itself and the package's top (errors, version)."""

TORCH_FREE = (
    "contract",
    *(
        "metrics",
        "stats",
        "board",
        "tables",
        "views",
        "page",
        "store",
        "plugins",
        "config",
        "plan",
        "scaffold",
    ),
    *("scaffold", "cli"),
)


def imports(file: Path) -> set[str]:
    """Modules named by the imports of `file`, those inside functions included."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def rooms(modules: set[str]) -> set[str]:
    parts = (module.split(".") for module in modules)
    return {part[1] for part in parts if part[0] == "harness" and len(part) > 1 and part[1] in BELOW}


def test_every_room_is_on_the_map() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(BELOW)


def test_the_map_has_no_circle() -> None:
    left = dict(BELOW)
    while left:
        lowest = [room for room, below in left.items() if not below & left.keys()]
        assert lowest, f"a circle among {sorted(left)}"
        for room in lowest:
            del left[room]


@pytest.mark.parametrize("room", sorted(BELOW))
def test_a_room_imports_only_what_lies_below_it(room: str) -> None:
    wrong = {
        str(file.relative_to(ROOT)): sorted(over)
        for file in (PACKAGE / room).rglob("*.py")
        if (over := rooms(imports(file)) - BELOW[room] - {room})
    }
    assert wrong == {}


@pytest.mark.parametrize("room", TORCH_FREE)
def test_light_rooms_name_no_torch(room: str) -> None:
    wrong = [
        str(file.relative_to(ROOT))
        for file in (PACKAGE / room).rglob("*.py")
        if any(module.split(".")[0] == "torch" for module in imports(file))
    ]
    assert wrong == []


def test_plugins_are_not_imported_by_the_core() -> None:
    """Built-ins come through the same door as strangers."""
    wrong = [
        str(file.relative_to(ROOT))
        for file in PACKAGE.rglob("*.py")
        if any(module.startswith("harness_") for module in imports(file))
    ]
    assert wrong == []


HEAVY = ("torch", "pandas", "matplotlib", "scipy", "numpy", "pydantic", "nibabel")


@pytest.mark.parametrize(
    "statement",
    [
        "import harness",
        "from harness import Model, Loss, Dataset, Case, Volume, Task, hookimpl",
        "from harness.testing import checks_for, parametrize_with_checks",
        "from harness.cli.main import make_parser; make_parser().format_help()",
        "from harness.cli.main import main; main(['plugins'])",
    ],
)
def test_listing_and_help_import_nothing_heavy(statement: str, tmp_path: Path) -> None:
    code = f"{statement}\nimport sys\nprint('HEAVY', sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize(
    "statement", ["from harness.metrics import score", "import harness.board.build, harness.tables.terminal"]
)
def test_scoring_and_tables_import_no_torch(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint(sorted({{'torch', 'pandas', 'matplotlib'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
