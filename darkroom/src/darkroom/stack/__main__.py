"""``python -m darkroom.stack`` is ``darkroom up``."""

import sys

from darkroom.stack.supervisor import main

sys.exit(main())
