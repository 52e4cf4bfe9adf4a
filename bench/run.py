"""How fast Darkroom is on this machine: ``python bench/run.py``, or ``make bench``.

Everything is measured on the real system, each figure beside a floor from the same run. See
docs/performance.md.
"""

from __future__ import annotations

import sys

from measuring.command import main

if __name__ == "__main__":
    sys.exit(main())
