"""What the broker takes from a client, and nats-py would not send."""

import json

from nats.aio.client import Client


async def publish_bytes(
    client: Client, subject: bytes, payload: bytes = b"{}", headers: bytes = b""
) -> int:
    """Publish onto the log under any subject and headers (``A: b\\r\\n``); the sequence there."""
    inbox = client.new_inbox()
    acknowledged = await client.subscribe(inbox, max_msgs=1)
    head = b"NATS/1.0\r\n" + headers + b"\r\n"
    sizes = (len(head), len(head) + len(payload))
    command = b"HPUB %b %b %d %d\r\n%b%b\r\n" % (subject, inbox.encode(), *sizes, head, payload)
    await client._send_command(command)  # noqa: SLF001
    await client._flush_pending()  # noqa: SLF001
    stored = json.loads((await acknowledged.next_msg(timeout=5)).data)
    return int(stored["seq"])
