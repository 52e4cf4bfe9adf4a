"""``python -m gateway.generate``: write openapi.json; ``--check``: see that it is current."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.openapi import document

_ROOT = Path(__file__).resolve().parents[4]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gateway.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only look; exit 1 if it is stale")
    parser.add_argument("--root", type=Path, default=_ROOT, help="the repository")
    options = parser.parse_args(arguments)
    path = options.root / "openapi.json"
    current = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == current:
        return 0
    if options.check:
        print("openapi.json is stale: run python -m gateway.generate", file=sys.stderr)
        return 1
    path.write_text(current, encoding="utf-8")
    print("wrote openapi.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
