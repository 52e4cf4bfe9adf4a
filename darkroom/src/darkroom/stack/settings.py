"""What the supervisor reads from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from darkroom.stack.errors import StackError

PREFIX = "DARKROOM_"


@dataclass(frozen=True, kw_only=True)
class StackSettings:
    """Where the system listens and keeps its files, and which servers exist already."""

    host: str = "127.0.0.1"
    port: int = 8400
    data_dir: Path = Path(".darkroom")
    nats_url: str | None = None
    database_url: str | None = None
    stop_with_parent: bool = False
    """Stop when the process or the terminal that started this one is gone: make passes on neither
    its own SIGKILL nor a terminal's end."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "StackSettings":
        """Read the variables; an empty one counts as not set."""

        def get(name: str) -> str | None:
            return environment.get(PREFIX + name) or None

        return cls(
            host=get("HOST") or cls.host,
            port=_port(get("PORT"), cls.port),
            data_dir=Path(get("DATA_DIR") or cls.data_dir),
            nats_url=get("NATS_URL"),
            database_url=get("DATABASE_URL"),
            stop_with_parent=get("STOP_WITH_PARENT") == "1",
        )

    @property
    def reachable_host(self) -> str:
        """The host to ask on this machine, also when the gateway listens on every address."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    @property
    def url(self) -> str:
        """Of the gateway, as a person on this machine would type it."""
        host = self.reachable_host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def _port(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise StackError(f"DARKROOM_PORT={text} is no port: give a number from 1 to 65535.")
    return int(text)
