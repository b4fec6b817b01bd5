"""harness.toml: what a user may write, and what they are told when it does not fit."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.config.find import find_file
from harness.config.load import load
from harness.config.overrides import assign, parse_value, split_assignment
from harness.config.protocol import Protocol, protocol_hash
from harness.config.settings import json_schema
from harness.contract.layout import as_json
from harness.errors import ConfigError

TOML = """
[leaderboard.mine]
protocol = "short"
models = ["unet2d"]
losses = ["log-dice"]
datasets = ["phantom"]

[protocol.short]
epochs = { 2d = 3, 3d = 5 }
batch = 4

[datasets.acdc]
root = "hearts/acdc"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "harness.toml"
    path.write_text(TOML)
    return path


def test_one_value_stands_for_both_dimensions_and_two_for_each(file: Path) -> None:
    _, protocol = load(file).leaderboard("mine")
    assert (protocol.epochs.at(2), protocol.epochs.at(3)) == (3, 5)
    assert (protocol.batch.at(2), protocol.batch.at(3)) == (4, 4)
    assert protocol.resolved(2).epochs == 3
    assert protocol.resolved(3).epochs == 5


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[protocol.short]\nepoch = 3", "unknown key 'protocol.short.epoch'. Did you mean 'epochs'?"),
        ("[protocol.short.augmentation]\nflipp = 1", "Did you mean 'flip'?"),
        ("[protocol.short]\nepochs = 0", "greater than or equal to 1"),
        ("[protocol.short]\nmetrics = ['dise']", "Did you mean 'dice'?"),
        ("[protocol.short]\nrank_by = ['assd']\nmetrics = ['dice']", "is not in metrics"),
        ("[protocol.short]\nselection = 'best'\nvalidation = 0", "test cases are never used for selection"),
        ("[protocol.short]\nrun_folds = [5]", "folds from 0 to 4"),
        ("[protocol.short]\nlearning_rate = nan", "learning_rate"),
        ("[protocol.short]\nextend = 'long'", "Did you mean 'extends'?"),
        ("[protocol.short]\nextends = 'lon'\n[protocol.long]", "Did you mean 'long'?"),
        ("[protocol.a]\nextends = 'b'\n[protocol.b]\nextends = 'a'", "extends itself"),
        ("[leaderboards.x]\n", "unknown key 'leaderboards'. Did you mean 'leaderboard'?"),
        ("[leaderboard.x]\nprotocol = 'short'", "'leaderboard.x.models' is missing"),
        ("[protocol", "is not valid TOML"),
    ],
)
def test_mistakes_are_named_in_one_line_with_the_nearest_right_name(
    tmp_path: Path, line: str, told: str
) -> None:
    path = tmp_path / "harness.toml"
    path.write_text(line)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_leaderboard_and_protocol_are_named_with_the_nearest(file: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'mine'"):
        load(file).leaderboard("mien")
    file.write_text(TOML.replace('protocol = "short"', 'protocol = "shrt"'))
    with pytest.raises(ConfigError, match="Did you mean 'short'"):
        load(file).leaderboard("mine")


def test_set_changes_one_value_of_the_leaderboards_protocol(file: Path) -> None:
    overrides = ["protocol.epochs.2d=9", "protocol.augmentation.flip=0.5", 'leaderboard.models=["unet3d"]']
    board, protocol = load(file, "mine", overrides).leaderboard("mine")
    assert (protocol.epochs.at(2), protocol.epochs.at(3)) == (9, 5)
    assert protocol.augmentation.flip == 0.5
    assert board.models == ("unet3d",)


def test_a_protocol_that_extends_another_differs_in_what_it_says(file: Path) -> None:
    file.write_text(
        TOML
        + """
[protocol.short.augmentation]
flip = 0.5
noise = 0.1

[leaderboard.shorter]
protocol = "shorter"
models = ["unet2d"]
losses = ["log-dice"]
datasets = ["phantom"]

[protocol.shorter]
extends = "short"
epochs = { 2d = 1 }
batch = { 3d = 2 }
augmentation = { flip = 0.0 }
"""
    )
    _, short = load(file).leaderboard("mine")
    _, shorter = load(file).leaderboard("shorter")
    assert (shorter.epochs.at(2), shorter.epochs.at(3)) == (1, 5)
    assert (shorter.batch.at(2), shorter.batch.at(3)) == (4, 2)
    assert (shorter.augmentation.flip, shorter.augmentation.noise) == (0.0, 0.1)
    told = {"epochs", "batch", "augmentation"}
    assert shorter.model_dump(exclude=told) == short.model_dump(exclude=told)
    assert load(file, "mine", ["protocol.batch=2"]).leaderboard("mine")[1].batch.at(2) == 2


def test_set_of_one_dimension_leaves_a_common_value_to_the_other() -> None:
    table = {"batch": 4}
    assign(table, ["batch", "2d"], 8)
    assert table == {"batch": {"2d": 8, "3d": 4}}


@pytest.mark.parametrize("text", ["protocol.epochs", "=3", "epochs=3", "protocol=3", "protocol..x=1"])
def test_set_refuses_what_is_not_a_key_and_a_value(text: str) -> None:
    with pytest.raises(ConfigError):
        split_assignment(text)


def test_set_names_an_unknown_key(file: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'epochs'"):
        load(file, "mine", ["protocol.epocs=2"])


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("0.5", 0.5), ("true", True), ("[0, 1]", [0, 1]), ("best", "best")]
)
def test_values_are_read_as_toml_or_as_text(text: str, value: object) -> None:
    assert parse_value(text) == value


def test_the_nearest_harness_toml_above_is_found(file: Path) -> None:
    below = file.parent / "a" / "b"
    below.mkdir(parents=True)
    assert find_file(below) == file


def test_without_a_harness_toml_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        find_file(tmp_path)


def test_data_root_order_is_argument_then_environment_then_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load(file)
    monkeypatch.delenv("HARNESS_ACDC_ROOT", raising=False)
    assert project.dataset_root("acdc", {}) == file.parent / "hearts" / "acdc"
    monkeypatch.setenv("HARNESS_ACDC_ROOT", "/from/environment")
    assert project.dataset_root("acdc", {}) == Path("/from/environment")
    assert project.dataset_root("acdc", {"acdc": Path("/given")}) == Path("/given")
    assert project.dataset_root("phantom", {}) is None


def test_what_moves_no_score_is_not_in_the_protocol_hash() -> None:
    def hashed(**values: object) -> str:
        return protocol_hash(as_json(Protocol.model_validate(values).resolved(2)))

    assert hashed() == hashed(seeds=[1, 2]) == hashed(run_folds=[0]) == hashed(keep_predictions=True)
    for change in ({"epochs": 9}, {"largest_component": False}, {"metrics": ["dice"]}, {"crop": [64, 64]}):
        assert hashed(**change) != hashed()
    assert hashed(epochs={"2d": 40, "3d": 9}) == hashed()


def test_a_field_that_is_off_is_not_in_the_protocol_hash() -> None:
    """Records from before there was such a field keep their keys."""
    assert "coarse" not in Protocol().model_dump()
    in_3d = Protocol.model_validate({"coarse": {"2d": 0, "3d": 0.8}})
    assert in_3d.resolved(2) == Protocol().resolved(2)
    assert in_3d.resolved(3) == replace(Protocol().resolved(3), coarse=0.8)
    assert "coarse" not in as_json(in_3d.resolved(2))
    # As computed by the version before the field: of 2D and 3D models, and of the whole.
    assert protocol_hash(as_json(Protocol().resolved(2)))[:16] == "a1e6a26529c1eb3e"
    assert protocol_hash(as_json(Protocol().resolved(3)))[:16] == "44ebd695d536f650"
    assert protocol_hash(Protocol().model_dump(mode="json", by_alias=True))[:16] == "02cd2e51fc85d315"


def test_coarse_samples_have_pixels_left() -> None:
    for small in ({"patch": [1, 8]}, {"crop": [8, 1]}):
        Protocol.model_validate(small)
        with pytest.raises(ValueError, match="at least 2 x 2 pixels"):
            Protocol.model_validate({**small, "coarse": 0.5})


def test_schema_knows_every_key_of_the_protocol() -> None:
    keys = json_schema()["$defs"]["Protocol"]["properties"]
    assert set(keys) == {*Protocol.model_fields, "extends"}


def test_the_shipped_file_is_valid() -> None:
    project = load(Path(__file__).parents[3] / "harness.toml")
    assert {"quick", "standard"} <= set(project.settings.leaderboard)
    for name in project.settings.leaderboard:
        project.leaderboard(name)


def test_the_schema_takes_one_value_or_one_for_each_dimension() -> None:
    """Editors check harness.toml by it: a plain number for both must not be marked as wrong."""
    schema = json_schema()
    field = schema["$defs"]["Protocol"]["properties"]["learning_rate"]
    choices = schema["$defs"][field["$ref"].rpartition("/")[2]]["anyOf"]
    assert {choice["type"] for choice in choices} == {"number", "object"}
