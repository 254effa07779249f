"""Workspace: where a campaign's templates, outputs, ledger and takes lie. Paths only, no disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """The parent of the folder `campaigns/` where the spec lies in one, else the current folder."""

    root: Path

    @classmethod
    def of(cls, spec: Path, current: Path) -> Workspace:
        folder = spec.resolve().parent
        return cls(folder.parent if folder.name == "campaigns" else current.resolve())

    @property
    def templates(self) -> Path:
        return self.root / "templates"

    @property
    def state(self) -> Path:
        """The folder that people do not delete: ledger and bought bytes."""
        return self.root / ".shotlist"

    def destination(self, to: str | None, campaign: str) -> str:
        """The folder or fsspec URL that a run publishes to."""
        if to is None:
            return str(self.root / "outputs" / campaign)
        if "://" in to:
            return to.rstrip("/")
        return str(self.root / to)
