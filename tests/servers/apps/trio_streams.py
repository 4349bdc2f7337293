"""A handler for trio's streams that answers with the address and port of who asks."""


async def handle(stream):
    async with stream:
        await stream.receive_some()
        host, port, *_ = stream.socket.getpeername()
        answer = f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{host} {port}"
        await stream.send_all(answer.encode())
