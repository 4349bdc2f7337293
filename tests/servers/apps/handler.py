"""A handler for http.server that answers with the address and port of who asks."""

from http.server import BaseHTTPRequestHandler


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        host, port, *_ = self.client_address
        self.wfile.write(f"{host} {port}".encode())
