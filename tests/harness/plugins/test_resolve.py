"""From a target's text to the object: whose fault it is when that fails, and where to look."""

import hashlib
import sys
from pathlib import Path

import pytest

from harness.errors import PluginError
from harness.plugins.manager import load
from harness.plugins.resolve import resolve, source_hash


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "made_up_pkg"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "net.py").write_text("from json import loads\nclass Net:\n    class Inner: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_a_target_gives_its_object(package: Path) -> None:
    assert resolve("made_up_pkg.net:Net", where="net").__name__ == "Net"  # type: ignore[attr-defined]
    assert resolve("made_up_pkg.net:Net.Inner").__name__ == "Inner"  # type: ignore[attr-defined]


def test_a_missing_module_is_named(package: Path) -> None:
    with pytest.raises(PluginError, match=r"model net: .*no module 'made_up_pkg.nett'") as caught:
        resolve("made_up_pkg.nett:Net", where="model net")
    assert caught.value.blame == "plugin"


def test_a_missing_package_is_named_with_what_to_do() -> None:
    with pytest.raises(PluginError, match=r"no module 'never_there'\. Install the plugin that provides"):
        resolve("never_there.net:Net")


def test_a_missing_attribute_gets_the_nearest_of_the_module_itself(package: Path) -> None:
    with pytest.raises(PluginError, match=r"'made_up_pkg.net' has no 'Nett'\. Did you mean 'Net'\?"):
        resolve("made_up_pkg.net:Nett")
    with pytest.raises(PluginError, match=r"has no 'zzz'\. Known: Net\.$"):
        resolve("made_up_pkg.net:zzz")


def test_an_error_while_importing_points_at_the_plugins_own_line(package: Path) -> None:
    (package / "net.py").write_text("import json\n\n\njson.loads('{')\n")
    with pytest.raises(PluginError, match=r"importing 'made_up_pkg.net' failed: json.*Error: .*net.py:4\)"):
        resolve("made_up_pkg.net:Net", where="net")


def test_a_missing_dependency_is_not_taken_for_a_missing_plugin(package: Path) -> None:
    (package / "net.py").write_text("import never_there\n")
    with pytest.raises(
        PluginError, match=r"No module named 'never_there' .*net.py:1.*provides 'never_there'"
    ):
        resolve("made_up_pkg.net:Net")


def test_a_module_that_exits_does_not_end_the_run_without_a_word(package: Path) -> None:
    (package / "net.py").write_text("raise SystemExit(1)\n")
    with pytest.raises(PluginError, match="SystemExit: 1"):
        resolve("made_up_pkg.net:Net")


def test_a_module_that_fails_on_access_is_the_plugins_fault(package: Path) -> None:
    (package / "net.py").write_text("def __getattr__(name):\n    raise OSError('no licence')\n")
    with pytest.raises(PluginError, match=r"OSError: no licence \(.*net.py:2\)"):
        resolve("made_up_pkg.net:Net")


def test_the_source_hash_is_that_of_the_file_and_imports_nothing(package: Path) -> None:
    file = package / "net.py"
    file.write_text("raise RuntimeError('imported')\n")
    assert source_hash("made_up_pkg.net:Net") == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "made_up_pkg.net" not in sys.modules


def test_the_source_hash_follows_the_file(package: Path) -> None:
    before = source_hash("made_up_pkg.net:Net")
    (package / "net.py").write_text("class Net: pass\n")
    assert source_hash("made_up_pkg.net:Net") != before


def test_the_source_hash_of_a_single_file_plugin(write, models) -> None:
    file = write("made_up_file.py", models("net"))
    load([file])
    assert source_hash("made_up_file:net") == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("target", ["sys:path", "never_there:x", "never_there.sub:x", "__main__:x"])
def test_without_a_source_file_there_is_a_clear_error(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    with pytest.raises(PluginError, match=r"no source file|can't be read"):
        source_hash(target)
