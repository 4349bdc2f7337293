"""A Flask application that answers with the address and port of who asks."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def peer():
    return f"{request.remote_addr} {request.environ['REMOTE_PORT']}"
