"""How tasks, events and findings look in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from telemetry.findings import Finding

_PIPED_WIDTH = 200
_UNFINISHED = ("pending", "processing")
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
_COLOURS = {
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
    "processing": "cyan",
    "pending": "magenta",
}


def console(*, stderr: bool = False) -> Console:
    """A console that is wide where nobody looks at it, so that nothing is cut in a pipe."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, width=_PIPED_WIDTH)
    return made


def plain(value: Any) -> str:
    """What users wrote, on one line and without what a terminal would obey."""
    text = " ".join(str(value).split())
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def when(value: str | datetime | None) -> str:
    """A time in this machine's zone."""
    if value is None:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def age(value: str, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int((now - datetime.fromisoformat(value)).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def task_table(tasks: Iterable[Mapping[str, Any]]) -> Table:
    """One line a task; ids are never cut, so that they can be copied."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("task", "type", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("age", no_wrap=True, justify="right")
    table.add_column("prompt", no_wrap=True, overflow="ellipsis", max_width=60)
    now = datetime.now(UTC)
    for task in tasks:
        table.add_row(
            Text(task["task_id"]),
            Text(plain(task["type"])),
            _state(task),
            age(task["created_at"], now),
            Text(plain(task["prompt"] or "")),
        )
    for column in table.columns[:-1]:
        column.min_width = max((cell_len(str(cell)) for cell in column.cells), default=0)
    return table


def _state(task: Mapping[str, Any]) -> Text:
    status = task["status"]
    said = status if status not in _UNFINISHED else f"{plain(task['stage'])} {task['progress']} %"
    return Text(said, style=_COLOURS.get(status, ""))


def task_lines(task: Mapping[str, Any]) -> Table:
    """Everything worth knowing of one task."""
    state = f"{task['status']} ({plain(task['stage'])}, {task['progress']} %)"
    rows: list[tuple[str, Any]] = [
        ("task", task["task_id"]),
        ("type", task["type"]),
        ("status", Text(state, style=_COLOURS.get(task["status"], ""))),
        ("place in line", task["queue_position"] or None),
        ("ready in", _seconds(task["eta_seconds"])),
        ("error", task["error_msg"]),
        ("prompt", task["prompt"]),
        *(("reference", each) for each in task["reference_images"]),
        ("provider", task["provider"]),
        ("attempt", task["attempt"] or None),
        ("created", when(task["created_at"])),
        ("started", when(task["started_at"])),
        ("finished", when(task["finished_at"])),
        *(("result", each["url"]) for each in task["artifacts"]),
        ("metadata", task["metadata"] or None),
        ("parameters", task["provider_params"] or None),
    ]
    return pairs(rows)


def pairs(rows: Sequence[tuple[str, Any]]) -> Table:
    """Names and values; a value that is None or empty is left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        if value is None or value == "":
            continue
        shown = value if isinstance(value, Text) else Text(plain(value))
        table.add_row(Text(name, style="dim"), shown)
    return table


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f} s"


def finding_line(finding: Finding) -> Text:
    """What a check found, and what to do about it."""
    mark, colour = _MARKS[finding.ok]
    line = Text()
    line.append(f"{mark} ", style=colour)
    line.append(f"{finding.name:<12} {plain(finding.detail)}")
    if finding.mend:
        line.append(f"\n  {'':<12} → {plain(finding.mend)}", style="bold")
    return line


def fixed_line(done: str) -> Text:
    """What was done about a finding."""
    return Text(f"  {'':<12} mended: {plain(done)}", style="green")


@contextmanager
def progress_bar(doing: str, of_what: str = "events") -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where somebody looks at it: told of events done, and of how many."""
    columns = (
        TextColumn(doing),
        BarColumn(),
        TextColumn(f"{{task.completed:,.0f}} of {{task.total:,.0f}} {of_what}"),
        TimeRemainingColumn(),
    )
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        shown = bar.add_task(doing, total=0, visible=False)

        def tell(done: int, of: int) -> None:
            bar.update(shown, completed=done, total=of, visible=True)

        yield tell
