"""What the frontend is made of is locked by hash, and comes from whatever registry is set."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_package_has_its_hash_and_none_names_a_registry() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())
    packages = {
        name: each for name, each in lock["packages"].items() if name.startswith("node_modules/")
    }
    bought = {name: each for name, each in packages.items() if not each.get("link")}

    assert len(bought) > 50
    assert [name for name, each in bought.items() if "integrity" not in each] == []
    assert [name for name, each in bought.items() if "resolved" in each] == []
