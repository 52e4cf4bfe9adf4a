"""What processes use, as the kernel tells: CPU time and memory of a tree, by part of the system."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_RSS = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the process table. ``cpu_s`` includes its children that have ended."""

    pid: int
    parent: int
    cpu_s: float


def read_processes() -> dict[int, Process]:
    """Every process of this machine that can be seen."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue
        # The name, in parentheses, may hold anything.
        fields = text.rpartition(")")[2].split()
        ticks = sum(int(each) for each in fields[11:15])
        found[int(entry.name)] = Process(int(entry.name), int(fields[1]), ticks * _TICK_S)
    return found


class Tree:
    """A process and its descendants; ``parts`` names those from which the groups begin."""

    def __init__(self, root: int, parts: Mapping[str, int]) -> None:
        self.root = root
        self._names = {pid: name for name, pid in parts.items()}

    def groups(self) -> dict[str, list[Process]]:
        """The living processes, by the part that they belong to; the rest is the supervisor's."""
        table = read_processes()
        groups: dict[str, list[Process]] = {}
        for process in table.values():
            name = self._part_of(process, table)
            if name is not None:
                groups.setdefault(name, []).append(process)
        return groups

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds so far, by part."""
        return {
            name: sum(each.cpu_s for each in processes) for name, processes in self.groups().items()
        }

    def pss_mb(self) -> dict[str, float]:
        """Memory by part: each page shared by n processes counts 1/n in each."""
        return {
            name: sum(_pss_mb(each.pid) for each in processes)
            for name, processes in self.groups().items()
        }

    def _part_of(self, process: Process, table: Mapping[int, Process]) -> str | None:
        here: Process | None = process
        while here is not None:
            if here.pid in self._names:
                return self._names[here.pid]
            if here.pid == self.root:
                return "supervisor"
            here = table.get(here.parent)
        return None


def _pss_mb(pid: int) -> float:
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def rss_mb(pid: int) -> float:
    """What a process has in memory, with what it shares."""
    found = _RSS.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each part has used in between."""
    return {name: after[name] - before.get(name, 0.0) for name in sorted(after)}


def fsync_us(directory: Path, times: int = 200) -> float:
    """How long it takes until 512 appended bytes are on this directory's disk: the median."""
    probe = directory / ".sync"
    descriptor = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    taken = []
    try:
        for _ in range(times):
            os.write(descriptor, b"\0" * 512)
            began = time.perf_counter()
            os.fsync(descriptor)
            taken.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        probe.unlink()
    return sorted(taken)[times // 2] * 1e6
