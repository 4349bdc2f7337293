"""An aiohttp application that answers with the address and port of who asks."""

from aiohttp import web


async def peer(request):
    host, port, *_ = request.transport.get_extra_info("peername")
    return web.Response(text=f"{host} {port}")


app = web.Application()
app.add_routes([web.get("/", peer)])
