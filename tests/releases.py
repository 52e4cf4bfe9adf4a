"""Services of a released version, run beside the present ones: see tests/corpus/README.md."""

from __future__ import annotations

import asyncio
import os
import sys
import zipfile
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
RELEASES = sorted(each.stem for each in CORPUS.glob("*.zip"))

_SET_UP = """
import asyncio, sys
from datetime import timedelta
import asyncpg, nats
from contracts.subjects import StreamSpec
from delivery import provision
from delivery.connection import connection_options
from task_store import store

async def set_up(database_url, nats_url):
    connection = await store.open_connection(database_url)
    print(store.__file__, *await store.migrate(connection))
    await connection.close()
    if nats_url:
        client = await nats.connect(nats_url, **connection_options("setup"))
        spec = StreamSpec(max_age=timedelta(days=30), max_bytes=1 << 30)
        await provision.ensure_stream(client, spec)
        await provision.ensure_buckets(client)
        await client.close()

asyncio.run(set_up(sys.argv[1], sys.argv[2]))
"""
"""What `darkroom setup` did in a version that is kept without its command line."""


def unpacked(version: str, directory: Path) -> Path:
    """The code of a version, in a folder that goes to the front of the path of modules."""
    code = directory / version
    with zipfile.ZipFile(CORPUS / f"{version}.zip") as archive:
        archive.extractall(code)
    return code


def environment(code: Path | None, **settings: str) -> dict[str, str]:
    """Of a process with that code, or with the present one. Settings without their prefix."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("DARKROOM_")}
    made = {**own, **{f"DARKROOM_{name}": value for name, value in settings.items()}}
    return made if code is None else {**made, "PYTHONPATH": str(code)}


async def set_up(code: Path, database_url: str, nats_url: str = "") -> list[int]:
    """Make schema and log as that version did; the steps of the schema that it has."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SET_UP, database_url, nats_url),
        env=environment(code),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    where, *steps = told.decode().split()
    assert Path(where).is_relative_to(code), "that is not the code of the version"
    return [int(step) for step in steps]
