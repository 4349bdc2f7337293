"""A twisted site that answers with the address and port of who asks."""

from twisted.web.resource import Resource
from twisted.web.server import Site


class Peer(Resource):
    isLeaf = True

    def render_GET(self, request):
        peer = request.getClientAddress()
        return f"{peer.host} {peer.port}".encode()


site = Site(Peer())
