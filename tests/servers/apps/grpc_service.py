"""A gRPC service without messages of its own: it answers with the address of who asks."""

from urllib.parse import unquote

import grpc


async def peer(request, context):
    host, _, port = unquote(context.peer()).partition(":")[2].rpartition(":")
    return f"{host.strip('[]')} {port}".encode()


service = grpc.method_handlers_generic_handler(
    "Test", {"Peer": grpc.unary_unary_rpc_method_handler(peer)}
)
