"""``python -m gateway.generate``: write openapi.json and docs/errors.md.

``--check`` writes nothing and exits 1 naming those that are stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.errors_page import markdown
from gateway.openapi import document

_ROOT = Path(__file__).resolve().parents[4]


def artefacts() -> dict[Path, str]:
    """Every generated file, with what it should hold."""
    return {
        Path("openapi.json"): json.dumps(document(), indent=2, ensure_ascii=False) + "\n",
        Path("docs/errors.md"): markdown(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gateway.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only look; exit 1 if any is stale")
    parser.add_argument("--root", type=Path, default=_ROOT, help="the repository")
    options = parser.parse_args(arguments)
    stale = {
        path: text
        for path, text in artefacts().items()
        if not (file := options.root / path).exists() or file.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        if options.check:
            print(f"{path} is stale: run python -m gateway.generate", file=sys.stderr)
            continue
        (options.root / path).parent.mkdir(parents=True, exist_ok=True)
        (options.root / path).write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
