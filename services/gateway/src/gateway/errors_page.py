"""What every error means: docs/errors.md, and the same at ``/docs/errors``, from the same data.

The ``type`` of a problem is a link to its row there.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from contracts.failures import FAILURE_STAGES, TASK_ERRORS, Explanation
from gateway.explanations import EXPLANATIONS
from gateway.refusals import REFUSALS

PATH = "/docs/errors"
_AGAIN_LATER = frozenset({408, 429, 503})
_TITLE = "Errors"
_ABOUT = (
    "Three kinds of trouble are kept apart. A **problem** is the answer to a request that is not "
    "done: `application/problem+json` (RFC 9457), whose `code` programs look at and whose `type` "
    "is a link to its row below. A **task error** is how a task ended without a result: `error` in "
    "the task, with `code`, a `message` for its owner, `retryable` and `params`. A **failure "
    "stage** is where in its pipeline a task failed: its `stage`."
)


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    about: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    """The anchor of each row, and its cells."""


def type_of(code: str, root_url: str) -> str:
    """The ``type`` of a problem: where its code is explained."""
    return f"{root_url}{PATH}#{code}"


def markdown() -> str:
    """docs/errors.md."""
    parts = [f"# {_TITLE}", _ABOUT]
    for section in _sections():
        lines = [section.head, ["---"] * len(section.head)]
        lines += [
            [f'<a id="{anchor}"></a>{first}', *rest] for anchor, (first, *rest) in section.rows
        ]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts += [f"## {section.title}", section.about, table]
    return "\n\n".join(parts) + "\n"


def _sections() -> Iterator[_Section]:
    yield _Section(
        "Problems",
        "Whether to send the request again as it is: *later*, not before `Retry-After`. With an "
        "`Idempotency-Key` that is always safe.",
        ("code", "status", "title", "means", "again", "do"),
        [
            (code, (f"`{code}`", str(status), title, means, _again(status), do))
            for code, (status, title) in REFUSALS.items()
            for means, do in (EXPLANATIONS[code],)
        ],
    )
    yield _explained(
        "Task errors",
        "`POST /tasks/{id}/retry` submits a task that has ended once more.",
        "task",
        TASK_ERRORS,
    )
    yield _explained(
        "Failure stages",
        "Of `PHOTO_TO_3D`. Other types fail in the stage that they had reached; a deployment's own "
        "[types](pipelines.md) name theirs.",
        "stage",
        FAILURE_STAGES,
    )


def _explained(
    title: str, about: str, prefix: str, explanations: Mapping[str, Explanation]
) -> _Section:
    rows = [
        (f"{prefix}-{name}", (f"`{name}`", each.means, each.retryable, each.do))
        for name, each in explanations.items()
    ]
    return _Section(title, about, (prefix, "means", "retryable", "do"), rows)


def _again(status: int) -> str:
    if status in _AGAIN_LATER:
        return "later"
    return "once" if status == 500 else "no"


# The same for a browser.

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1.5rem; }
h1, h2 { font-weight: 600; letter-spacing: -0.02em; }
code { font: 0.875rem ui-monospace, monospace; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: 0.5rem 0.75rem; text-align: start; vertical-align: top; }
th { white-space: nowrap; }
tr { border-bottom: 1px solid #8884; scroll-margin-top: 2rem; }
tr:target { background: #fa03; }
"""

_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def html() -> str:
    """The page, with nothing from elsewhere."""
    body = "\n".join(_section_html(section) for section in _sections())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Darkroom: {_TITLE.lower()}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{_TITLE}</h1>
<p>{_inline(_ABOUT)}</p>
<p><a href="../docs">The API</a></p>
{body}
</body>
</html>
"""


def _section_html(section: _Section) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in section.head)
    rows = "\n".join(
        f'<tr id="{anchor}">{"".join(f"<td>{_inline(cell)}</td>" for cell in cells)}</tr>'
        for anchor, cells in section.rows
    )
    return (
        f"<h2>{escape(section.title)}</h2>\n<p>{_inline(section.about)}</p>\n"
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(section.title)}">'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _inline(text: str) -> str:
    """The little of Markdown that is used above; what leads to other documents does not lead."""
    text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", escape(text, quote=False))
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
