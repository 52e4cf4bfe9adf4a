"""A process that dies the moment its new guardian runs; run as a script by the tests.

It starts a child with a child of its own, whose pid it prints, kills its guardian and, as soon as
there is another, itself. Its argument is a directory for its files.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from darkroom.stack.guardian import Guardian
from darkroom.stack.processes import ProcessSpec, spawn


async def main(directory: Path) -> None:
    start_process = asyncio.create_subprocess_exec
    guardians: list[asyncio.subprocess.Process] = []

    async def start_guardian(*command: str, **options: object) -> asyncio.subprocess.Process:
        guardians.append(await start_process(*command, **options))  # type: ignore[arg-type]
        if len(guardians) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return guardians[-1]

    grandchild = directory / "grandchild"
    os.mkfifo(grandchild)
    command = ("sh", "-c", f"sleep 100 & echo $! > '{grandchild}'; wait")
    child = await spawn(ProcessSpec(name="child", command=command, log=directory / "log"))
    print((await asyncio.to_thread(grandchild.read_text)), flush=True)

    asyncio.create_subprocess_exec = start_guardian  # type: ignore[assignment]
    guardian = Guardian(os.open(directory / "lock", os.O_RDWR | os.O_CREAT))
    await guardian.start()
    guardian.watch(child)
    guardians[0].kill()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
