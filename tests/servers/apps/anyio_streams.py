"""A handler for anyio's streams that answers with the address and port of who asks."""

from anyio import EndOfStream
from anyio.abc import SocketAttribute


async def handle(stream):
    async with stream:
        try:
            await stream.receive()
        except EndOfStream:  # who connects only to see whether somebody listens
            return
        host, port, *_ = stream.extra(SocketAttribute.remote_address)
        answer = f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{host} {port}"
        await stream.send(answer.encode())
