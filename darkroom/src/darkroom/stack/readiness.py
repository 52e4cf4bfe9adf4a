"""Ask the gateway whether the whole system is ready."""

import asyncio

ANSWER_TIMEOUT_S = 5.0
ANSWER_MAX_BYTES = 65536


async def ask(host: str, port: int) -> tuple[bool, str]:
    """One ``GET /readyz``: whether the answer is 200, and what it says; or why there was none."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            answer = await _get(host, port, "/readyz")
    except TimeoutError:
        return False, "no answer"
    except OSError as error:
        return False, error.strerror or str(error)
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    status_line, *_ = head.splitlines() or [""]
    return status_line.split(" ")[1:2] == ["200"], " ".join(body.split()) or status_line


async def _get(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        await writer.drain()
        return await reader.readexactly(ANSWER_MAX_BYTES)
    except asyncio.IncompleteReadError as shorter:
        return shorter.partial
    finally:
        writer.close()
