"""A callback for asyncio's streams that answers with the address and port of who asks."""


async def handle(reader, writer):
    await reader.read(1000)
    host, port, *_ = writer.get_extra_info("peername")
    writer.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{host} {port}".encode())
    writer.close()
    await writer.wait_closed()
