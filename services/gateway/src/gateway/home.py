"""The first page where the studio was not built: how to get it, and what runs here."""

from __future__ import annotations

import base64
import hashlib

_STYLE = """
:root { color-scheme: light dark; font: 1.05rem/1.6 system-ui, sans-serif; }
body { max-width: 42rem; margin: 4rem auto; padding: 0 1.5rem; }
h1 { font-weight: 600; letter-spacing: -0.02em; }
code, pre { font: 0.9rem/1.5 ui-monospace, monospace; }
pre { padding: 1rem; overflow-x: auto; border-radius: 0.5rem; background: #8882; }
"""

HOME = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Darkroom</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Darkroom</h1>
<p>Generation tasks that are never lost: accepted when they are on disk in the log, ended exactly
once, and there again when you come back.</p>
<p><strong>The studio page is not built here.</strong> With Node.js 20.19 or newer, or with access
to a Python package index, <code>make setup</code> builds it; then start the gateway again. The API
works without it:</p>
<pre>curl -s localhost:8400/tasks -H 'Content-Type: application/json' \\
  -d '{{"type": "CREATE", "prompt": "a red bicycle by the sea at dusk"}}'</pre>
<p>The answer has a <code>task_id</code>; <code>GET /tasks/TASK_ID?wait=20</code> follows it, and
<code>GET /tasks/processing</code> lists what is going on.</p>
<p><strong>Who draws?</strong> <code>CREATE</code> is served by <em>studio</em>, a procedural
painter: it composes an illustration from the words of the prompt with rules, on this machine. It
is no trained model and does not pretend to be one. To use a model, install or configure a provider
(a class registered under the entry point <code>darkroom.providers</code>) and name it in
<code>provider_params.service</code>. What is installed here: <a href="/generation-types">
/generation-types</a>.</p>
<p><a href="/docs">API documentation</a> · <a href="/openapi.json">openapi.json</a> ·
<a href="/readyz">readiness</a></p>
</body>
</html>
"""

_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
