"""The page at ``/docs``: Swagger UI on our own document, with nothing from any other host.

Its files come from the wheel ``fastapi-swagger``, which carries each release of Swagger UI.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from gateway.refusals import Refusal

_FILES = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")

# Its default is to send the document to a validator on the internet.
_START = """
SwaggerUIBundle({
  url: "openapi.json", dom_id: "#page", deepLinking: true, filter: true, validatorUrl: null,
});
"""

API_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Darkroom: API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>{_START}</script>
</body>
</html>
"""

_HASH = base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; script-src 'self' 'sha256-{_HASH}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def file_of_page(name: str) -> Path:
    """One of the files that the page loads."""
    if name not in _FILES:
        raise Refusal("not_found", "There is nothing at this address. What there is: /docs.")
    return Path(str(files("fastapi_swagger.resources") / name))
