"""The gateway over HTTP, and what a person is told when it says no."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import click
import httpx2

from darkroom.cli.failures import FOUND_SOMETHING, UNREACHABLE, WRONG_USAGE, Refused, Unreachable
from darkroom.cli.invocation import Invocation

_TIMEOUT_S = 30.0
_ARTIFACTS = "/artifacts/"
_CHUNK_BYTES = 1 << 16


class Problem(click.ClickException):
    """The gateway's refusal: its detail, with each error where there are several."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("code", ""))
        super().__init__(_one_line(status, body))


class WrongRequest(Problem):
    """What was asked for can't be had, whenever it is asked."""

    exit_code = WRONG_USAGE


class WrongMoment(Problem):
    """The task's state forbids it."""

    exit_code = FOUND_SOMETHING


class NotNow(Problem):
    """The system can't do it now."""

    exit_code = UNREACHABLE


class Gateway:
    """One gateway. Raises `Problem` for its refusals and `Unreachable` when nobody answers."""

    def __init__(self, invocation: Invocation) -> None:
        self.url = invocation.url.rstrip("/")
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise click.UsageError(f"--url {self.url}: give it as http://HOST:PORT.")
        key = invocation.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON behind a path; parameters that are None are left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._json("GET", path, params=given)

    def post(self, path: str, **content: Any) -> Any:
        """The JSON of the answer; ``content`` is what httpx2 takes."""
        return self._json("POST", path, **content)

    def task(self, task_id: str, **parameters: Any) -> Any:
        return self.get(f"/tasks/{quote(task_id, safe='')}", **parameters)

    def download(self, url: str, path: Path) -> None:
        """Save what is behind the URL; a file that is there is replaced once all has arrived.

        An artifact is asked of this gateway, whatever address it hands out, so that the key is
        shown to nobody else.
        """
        _, mark, key = urlsplit(url).path.partition(_ARTIFACTS)
        own = f"{_ARTIFACTS}{key}" if mark else None
        draft = path.with_name(f".{path.name}.part")
        with self._translated(), self._opened(own, url) as response:
            if response.is_error:
                response.read()
                _raise_for_problem(response)
            try:
                with draft.open("wb") as file:
                    for chunk in response.iter_bytes(_CHUNK_BYTES):
                        file.write(chunk)
                draft.replace(path)
            except OSError as error:
                raise Refused(
                    f"Cannot save {path} ({error.strerror}). The result is at {url}"
                ) from None
            finally:
                with contextlib.suppress(OSError):
                    draft.unlink()

    def _opened(
        self, own: str | None, url: str
    ) -> contextlib.AbstractContextManager[httpx2.Response]:
        if own is not None:
            return self._http.stream("GET", own)
        return httpx2.stream("GET", url, timeout=_TIMEOUT_S, follow_redirects=True)

    def _json(self, method: str, path: str, **content: Any) -> Any:
        with self._translated():
            response = self._http.request(
                method, path, timeout=_patience(content.get("params")), **content
            )
        if response.is_error:
            _raise_for_problem(response)
        try:
            return response.json()
        except ValueError:
            raise _not_ours(self.url, response) from None

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx2.ConnectError as error:
            raise Unreachable(
                f"No gateway answers at {self.url} ({_cause(error)}). Start it with "
                "`darkroom up`, or tell where it is with --url or DARKROOM_URL."
            ) from None
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise Unreachable(
                f"The gateway at {self.url} did not answer ({_cause(error)}). "
                "Try again, or look with `darkroom doctor`."
            ) from None


def _patience(parameters: Mapping[str, Any] | None) -> float:
    return _TIMEOUT_S + float((parameters or {}).get("wait") or 0)


def _raise_for_problem(response: httpx2.Response) -> None:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "status" not in body:
        raise _not_ours(f"{response.url.scheme}://{response.url.netloc.decode()}", response)
    status = response.status_code
    if status == httpx2.codes.CONFLICT:
        raise WrongMoment(status, body)
    if status == httpx2.codes.TOO_MANY_REQUESTS or status >= 500:
        raise NotNow(status, body)
    raise WrongRequest(status, body)


def _not_ours(url: str, response: httpx2.Response) -> click.ClickException:
    kind = response.headers.get("content-type", "no content type").partition(";")[0]
    return Unreachable(
        f"{url} answered {response.status_code} with {kind}: that is no Darkroom gateway. "
        "Tell where it is with --url or DARKROOM_URL."
    )


def _one_line(status: int, body: Mapping[str, Any]) -> str:
    line = str(body.get("detail") or body.get("title") or f"status {status}")
    errors = [
        f"{'.'.join(map(str, each.get('loc', ())))}: {each.get('msg', '')}"
        for each in body.get("errors") or ()
        if str(each.get("msg", "")) not in line
    ]
    if errors:
        line = f"{line.rstrip()} ({'; '.join(errors)})"
    if status == httpx2.codes.UNAUTHORIZED:
        line = f"{line} Here: --api-key KEY, or DARKROOM_API_KEY."
    if body.get("task_id"):
        line = f"{line} Look with: darkroom tasks show {body['task_id']}"
    return " ".join(line.split())


def _cause(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.removeprefix("[Errno ").partition("] ")[2] or text
