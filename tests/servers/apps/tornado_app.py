"""A tornado application that answers with the address and port of who asks."""

from tornado.web import Application, RequestHandler


class Peer(RequestHandler):
    def get(self):
        host, port, *_ = self.request.connection.context.address
        self.write(f"{host} {port}")


app = Application([("/", Peer)])
