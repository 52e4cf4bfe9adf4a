"""Bytes at rest: uploads and results in an object store, and what may enter it."""

import sys

# httpx2 brings its command line along, and that rich, pygments and click: a tenth of what a service
# imports, for a command that nobody gives in here. None says that there is no such module.
sys.modules.setdefault("httpx2._main", None)  # type: ignore[arg-type]
