"""Records as a worker would leave them, for tests of ranking and reports."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from made_specs import HEART, run_spec

from harness.board.assign_records import EntryRuns
from harness.board.board import Entry, RequiredRun, params_of
from harness.config.protocol import Protocol
from harness.contract.record import Contention, Epoch, Failure, Hardware, ModelSize
from harness.errors import Blame
from harness.store.record import CaseScore, Record
from harness.store.state import RunState

UNITS = {"dice": "1", "hd": "mm", "hd95": "mm", "assd": "mm", "volume": "mL", "volume-error": "mL"}
_PROTOCOL: dict[str, Any] = {
    "spacing_mm": 2.0,
    "epochs": {"2d": 7, "3d": 15},
    "split": "official",
    "seeds": [0],
    "metrics": ["dice", "hd", "hd95", "assd", "volume", "volume-error"],
    "rank_by": ["dice"],
}


def protocol(**changes: Any) -> Protocol:
    """The protocol of the made-up records; `changes` replace its fields."""
    return Protocol.model_validate({**_PROTOCOL, **changes})


PROTOCOL = protocol()
CPU = "cpu: AMD EPYC 9B45, 2 cores"


def score(
    patient: str,
    value: float | None,
    *,
    phase: str | None = "ED",
    structure: str = "LV",
    metric: str = "dice",
    state: Any = "ok",
) -> CaseScore:
    case = patient if phase is None else f"{patient}_{phase}"
    return CaseScore(
        case, patient, phase, "NOR", structure, metric, value, UNITS[metric], state, (10.0, 1.5, 1.5)
    )


def failure(message: str, blame: Blame = "plugin", phase: str = "train") -> Failure:
    return Failure(phase, blame, message)


def hardware(name: str, **other: Any) -> Hardware:
    """A machine of hardware class `name`; `other` fields replace those that are made up."""
    values: dict[str, Any] = {"gpu": None, "cpu": "AMD EPYC 9B45", "cores": 2, "ram_gib": 23.0}
    return Hardware(name, **{**values, **other})


def busy(**shared: bool) -> dict[str, Contention]:
    """Contention by stage, as far as it says whether others used the machine."""
    return {stage: Contention(0.5 if one else 0.0, 0, one) for stage, one in shared.items()}


def history(epochs: int, dice: bool = True) -> tuple[Epoch, ...]:
    """A loss of 1 / epoch and a validation Dice of 1 - 1 / epoch."""
    return tuple(Epoch(e, 1 / e, 1 - 1 / e if dice else None) for e in range(1, epochs + 1))


def record(
    scores: Iterable[CaseScore] = (),
    *,
    entry: tuple[str, str] = ("unet2d", "log-dice"),
    dataset: str = "phantom",
    seed: int = 0,
    fold: int = 0,
    status: str = "done",
    structures: Mapping[str, int] = HEART,
    phases: Iterable[str] = ("ED", "ES"),
    **other: Any,
) -> Record:
    model, loss = entry
    dims = 3 if "3d" in model else 2
    keys = {"split": "5e6f7a8b" * 8, "protocol": "1a2b3c4d" * 8}
    values: dict[str, Any] = {
        "run_id": f"{model}-{loss}-{dataset}-s{seed}-f{fold}",
        "keys": keys,
        "spec": run_spec(
            *(model, loss, dataset),
            dims=dims,
            structures=structures,
            phases=phases,
            keys=keys,
            seed=seed,
            fold=fold,
            scoring=PROTOCOL.resolved(dims),
        ),
        "status": status,
        "hardware": hardware(CPU),
        "cases": tuple(scores),
    }
    return Record(**{**values, **other})


def plan(record: Record, state: str = "done", reason: str | None = None, **other: Any) -> EntryRuns:
    """The entry of `record` with the one run that it fills, which may have `other` values."""
    spec = record.spec
    run = RequiredRun(record.run_id, spec.seed, spec.fold, RunState(state), reason)
    return EntryRuns(Entry.of(spec), params_of(spec), (replace(run, **other),))


QUICK = {
    # model, loss: training s, Dice of LV, MYO, RV, Hausdorff mm of LV, MYO, RV
    ("unet2d[base=8]", "cross-entropy"): (16.2, (0.929, 0.848, 0.776), (13.6, 22.1, 38.8)),
    ("unet2d[base=8]", "log-dice"): (18.1, (0.945, 0.876, 0.799), (8.9, 17.6, 27.8)),
    ("unet2d[base=8]", "log-dice-ce"): (18.4, (0.939, 0.868, 0.788), (11.9, 18.9, 29.9)),
    ("unet3d[base=8]", "cross-entropy"): (51.0, (0.900, 0.804, 0.750), (12.7, 11.5, 30.9)),
    ("unet3d[base=8]", "log-dice"): (50.3, (0.923, 0.824, 0.760), (10.7, 13.2, 25.4)),
    ("unet3d[base=8]", "log-dice-ce"): (53.2, (0.915, 0.825, 0.769), (11.2, 12.8, 27.8)),
}


ML = {
    "LV": {"ED": 140.0, "ES": 60.0},
    "MYO": {"ED": 120.0, "ES": 125.0},
    "RV": {"ED": 160.0, "ES": 80.0},
}
"""Volumes of an ordinary heart."""


def quick(
    *,
    patients: int = 10,
    seeds: Iterable[int] = (0,),
    folds: int = 1,
    dataset: str = "phantom",
    gpu: bool = False,
    rename: Mapping[str, str] | None = None,
) -> list[Record]:
    """Records of six entries with plausible scores and costs; equal arguments give equal records."""
    records = []
    for (model, loss), (train_s, dice, hd) in QUICK.items():
        for seed in seeds:
            for fold in range(folds):
                draw = random.Random(f"{model}{loss}{seed}{fold}")
                names = [f"patient{101 + fold * patients + i:03d}" for i in range(patients)]
                scores = [one for name in names for one in _scores(draw, name, dice, hd)]
                records.append(
                    record(
                        scores,
                        entry=((rename or {}).get(model, model), loss),
                        dataset=dataset,
                        seed=seed,
                        fold=fold,
                        **_costs(draw, train_s, model, gpu),
                    )
                )
    return records


def _scores(
    draw: random.Random, patient: str, dice: tuple[float, ...], hd: tuple[float, ...]
) -> Iterable[CaseScore]:
    for phase, harder in (("ED", 0.0), ("ES", 0.5)):
        for structure, overlap, distance in zip(("LV", "MYO", "RV"), dice, hd, strict=True):
            value = 1 - (1 - overlap) * (0.75 + harder) * draw.uniform(0.8, 1.2)
            size = ML[structure][phase] * (0.8 + int(patient[-1]) / 20)
            mm = distance * (0.85 + harder * 0.6) * draw.uniform(0.7, 1.3)
            for metric, number in (
                ("dice", value),
                ("hd", mm),
                ("hd95", mm * 0.5),
                ("assd", mm * 0.12),
                ("volume", size + 20 * (1 - value)),
                ("volume-error", 20 * (1 - value)),
            ):
                yield score(patient, number, phase=phase, structure=structure, metric=metric)


def _costs(draw: random.Random, train_s: float, model: str, gpu: bool) -> dict[str, Any]:
    three = "3d" in model
    train = train_s * draw.uniform(0.97, 1.03) * (30 if gpu else 1)
    costs: dict[str, Any] = {
        "time_s": {
            "train": train,
            "volume_median": 0.148 if three else 0.061,
            "volume_p95": 0.171 if three else 0.074,
            "volume_n": 20,
        },
        "memory_mib": {
            "gpu_train_allocated": (3276.0 if three else 2150.0) if gpu else None,
            "gpu_predict_allocated": (1480.0 if three else 310.0) if gpu else None,
            "host_peak": 871.0 if three else 803.5,
        },
        "model": ModelSize(
            parameters=343_000 if three else 487_000,
            flops=25_300_000_000 if three else 9_870_000_000,
            flops_shape=(10, 1, 96, 96),
            training_energy_j=None,
        ),
    }
    if gpu:
        costs["hardware"] = hardware("NVIDIA H200", gpu="NVIDIA H200")
    return costs
