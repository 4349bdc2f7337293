"""A sanic application that answers with the address and port of who asks."""

from sanic import Sanic
from sanic.response import text

app = Sanic("peer")


@app.get("/")
async def peer(request):
    return text(f"{request.conn_info.client_ip} {request.conn_info.client_port}")
