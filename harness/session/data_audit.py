"""An audit of a dataset of the project."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.data.audit import Finding, audit
from harness.plan.choice import choose
from harness.plan.data import open_choice, root_of
from harness.session.display import Displayed
from harness.session.events import Listener, advancing
from harness.session.workspace import Workspace
from harness.tables.table import Table
from harness.views.audit_findings import audit_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class DataAudit(Displayed):
    """The findings of an audit of `dataset`, one per check."""

    dataset: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def tables(self) -> tuple[Table]:
        """A table with a row per check."""
        return (audit_table(self.dataset, self.findings),)

    def to_frame(self) -> pd.DataFrame:
        """A row per check; columns are the fields of `Finding`."""
        import pandas as pd

        return pd.DataFrame([asdict(finding) for finding in self.findings])


def audit_dataset(workspace: Workspace, dataset: str, on_event: Listener) -> DataAudit:
    """Read and check every case of `dataset`."""
    project = workspace.project
    choice = choose(workspace.registry, "dataset", dataset)
    root = root_of(project, choice, workspace.runs, workspace.data_roots)
    findings = audit(open_choice(choice, root), advancing(on_event, "reading cases"))
    return DataAudit(choice.label, tuple(findings))
