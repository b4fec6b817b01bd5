"""harness.toml as one typed object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from harness.config.extends import KEY
from harness.config.protocol import Protocol, Strict


class LeaderboardSettings(Strict):
    """``[leaderboard.NAME]``: entries are models × losses × datasets, ``name`` or ``name[key=value]``."""

    summary: str = ""
    protocol: str = Field(description="name of a [protocol.NAME] table")
    models: tuple[str, ...] = Field(min_length=1)
    losses: tuple[str, ...] = Field(min_length=1)
    datasets: tuple[str, ...] = Field(min_length=1)


class DatasetSettings(Strict):
    """``[datasets.NAME]``: the folder of a dataset, relative to harness.toml."""

    root: Path


class ResourceSettings(Strict):
    """``[resources.NAME]``: what a run of model NAME requests from its machine.

    Nothing here affects a score or is part of a key.
    """

    gpus: int = Field(default=1, ge=0, description="GPUs, if the machine has any")
    cpus: int | None = Field(
        default=None, ge=1, description="CPU cores; default: an equal share of the machine's cores"
    )
    memory_gib: float | None = Field(
        default=None, gt=0, description="host memory; default: what earlier runs of the model used"
    )


class Settings(Strict):
    """The whole of harness.toml."""

    protocol: dict[str, Protocol] = Field(default_factory=dict)
    leaderboard: dict[str, LeaderboardSettings] = Field(default_factory=dict)
    datasets: dict[str, DatasetSettings] = Field(default_factory=dict)
    executor: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="[executor.NAME]: parameters of the executor on this site"
    )
    resources: dict[str, ResourceSettings] = Field(default_factory=dict)
    observers: dict[str, str] = Field(
        default_factory=dict,
        description="destination of each observer: a URI, or a folder relative to harness.toml",
    )


def json_schema() -> dict[str, Any]:
    """The JSON schema of harness.toml, for editors."""
    schema = Settings.model_json_schema(by_alias=True)
    # `extends` is resolved before validation, so it is not a field of the model.
    schema["$defs"]["Protocol"]["properties"][KEY] = {
        "type": "string",
        "description": "name of another protocol, whose values apply where this one sets none",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "harness.toml"}
