"""An ASGI application that answers with the address and port of who asks."""


async def live(receive, send):
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    host, port = scope["client"]
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": f"{host} {port}".encode()})
