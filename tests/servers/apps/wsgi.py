"""A WSGI application that answers with the address and port of who asks."""


def app(environ, start_response):
    body = "{REMOTE_ADDR} {REMOTE_PORT}".format_map({"REMOTE_PORT": "?", **environ}).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
