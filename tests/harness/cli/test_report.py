"""`harness report`: a page and pictures from records alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_project import Project

Copier = Callable[[Project], Project]

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """This repository's `quick`, without its runs."""
    root = tmp_path_factory.mktemp("quick")
    shutil.copy(ROOT / "harness.toml", root)
    for folder in ("quick", "published"):
        shutil.copytree(ROOT / "leaderboards" / folder, root / "leaderboards" / folder)
    return Project(root)


def test_the_report_is_rebuilt_byte_for_byte_and_changes_no_table(quick: Project) -> None:
    folder = quick.root / "leaderboards" / "quick"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "report.html"}
    done = quick("report", "quick")
    assert (done.code, done.err) == (0, "")
    assert "leaderboards/quick/report.html" in done.out
    first = (folder / "report.html").read_bytes()
    other = quick.root / "elsewhere" / "page.html"
    assert quick("report", "quick", "-o", str(other)).code == 0
    assert other.read_bytes() == first
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "report.html"}
    assert after == before


def test_looking_under_another_protocol_destroys_nothing(quick: Project, copy_of: Copier) -> None:
    """A number tried in harness.toml, a look, the number changed back: as if nothing had been."""
    project = copy_of(quick)
    folder, settings = project.root / "leaderboards" / "quick", project.root / "harness.toml"

    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "report.html"}

    before, committed = settings.read_text(), files()
    settings.write_text(before.replace("epochs = { 2d = 7, 3d = 15 }", "epochs = { 2d = 8, 3d = 15 }"))
    first = project("leaderboard", "quick")
    assert (first.code, first.err) == (0, "")
    assert first.out.count("another protocol: epochs 7, not 8") == 3
    changed = files()
    assert sorted(changed["records.jsonl"].splitlines()) == sorted(committed["records.jsonl"].splitlines())
    assert project("leaderboard", "quick").out == first.out
    assert project("report", "quick").code == 0
    assert files() == changed
    # What is left out is no result of this leaderboard: neither is it compared as one.
    refused = project("compare", f"{folder}::unet2d+log-dice", f"{folder}::unet3d+log-dice")
    assert (refused.code, "no finished runs of 'unet2d+log-dice'" in refused.err) == (2, True)
    settings.write_text(before)
    assert project("leaderboard", "quick").code == 0
    assert files() == committed


def test_a_selection_limits_the_page_and_the_pictures(quick: Project) -> None:
    folder = quick.root / "plots"
    file = quick.root / "one.html"
    args = ("-m", "unet3d[base=8]", "-l", "log-dice", "-o", str(file), "--plots", str(folder))
    done = quick("report", "quick", *args)
    assert (done.code, done.err) == (0, "")
    names = {path.name for path in folder.iterdir()}
    assert {f"scores-dice-lv-ed.{suffix}" for suffix in ("svg", "png")} <= names
    assert {Path(name).stem for name in names if name.endswith(".svg")} == {
        Path(name).stem for name in names if name.endswith(".png")
    }
    text = file.read_text()
    start = text.index('id="data">') + len('id="data">')
    data = json.loads(text[start : text.index("</script>", start)])
    entries = {one["same"]["entry"] for one in data["series"] if "entry" in one["same"]}
    assert entries == {"unet3d[base=8] + log-dice"}


def test_without_records_one_line_says_what_to_do(project: Project) -> None:
    done = project("report", "tiny")
    assert done.code == 2
    assert done.err == "harness: leaderboard tiny: no records yet. Run it first: harness run tiny\n"


def test_kept_predictions_are_in_the_gallery_where_the_licence_lets_them(project: Project) -> None:
    keep = ("--set", "protocol.keep_predictions=true")
    assert project("run", "tiny", *keep).code == 0
    file = project.root / "page.html"
    done = project("report", "tiny", "-o", str(file), *keep)
    assert (done.code, done.err) == (0, "")
    text = file.read_text()
    assert "is not known to allow redistribution" in text
    assert "data:image/png" not in text
    plots = project.root / "plots"
    more = ("--embed-images", "--plots", str(plots))
    assert project("report", "tiny", "-o", str(file), *keep, *more).code == 0
    text = file.read_text()
    assert text.count("<figure data-choice") > 1
    assert "data:image/png" in text
    assert "not kept" not in text
    assert {"gallery-best-ed.svg", "gallery-best-ed.png"} <= {path.name for path in plots.iterdir()}
    for folder in project.run_folders():
        shutil.rmtree(folder / "predictions")
    assert project("report", "tiny", "-o", str(file), *keep, "--embed-images").code == 0
    assert "there are no saved predictions in the folder of runs" in file.read_text()
