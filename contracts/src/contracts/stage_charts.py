"""The stages of the generation types as charts, for docs/pipelines.md."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.generation_types import GENERATION_TYPES, GenerationType


def stage_charts(kinds: Iterable[GenerationType] = GENERATION_TYPES.values()) -> str:
    """A chart for each way that tasks go; types that go the same way share it."""
    charts: dict[str, list[str]] = {}
    for kind in kinds:
        charts.setdefault(stage_chart(kind), []).append(f"`{kind.name}`")
    return "\n\n".join(f"{', '.join(names)}:\n\n{chart}" for chart, names in charts.items())


def stage_chart(kind: GenerationType) -> str:
    """Every arrow of `GenerationType.moves`, as a Mermaid chart."""
    stages = kind.stages
    arrows = sorted(kind.moves, key=lambda move: (stages.index(move[0]), stages.index(move[1])))
    ends = (kind.happy_stages[-1], *dict.fromkeys(kind.failure_stages.values()))
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {kind.happy_stages[0]}"]
    if kind.waiting_stage != kind.pending_stage:
        lines.append(f"    [*] --> {kind.waiting_stage}")
    lines += [f"    {before} --> {after}" for before, after in arrows]
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join([*lines, "```"])
