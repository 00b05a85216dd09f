"""A chat room as a backend: decides over HTTP who may come in, and speaks to whoever came as a process of the relay.
Needs only `websockets` 10 or newer:  RELAY_TOKEN=... python3 examples/older-systems/processes-python/backend.py [http://localhost:8080] [9000]"""

import asyncio
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import websockets

relay = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8080"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 9000


class Chat:
    """The process: a client of the relay under a name of its own."""

    def __init__(self, socket):
        self.socket = socket
        self.clients = {}

    async def say(self, message):
        await self.socket.send(json.dumps(message))

    async def tell(self, pid, topic, payload):
        await self.say({"type": "send", "to": pid, "data": {"topic": topic, "payload": payload}})

    async def tell_all(self, text):
        for pid in list(self.clients):
            await self.tell(pid, "ws.send", {"type": "text", "data": text})

    async def receive(self, topic, payload):
        name = payload.get("metadata", {}).get("name")
        if topic == "ws.join":
            self.clients[payload["client_pid"]] = name
            await self.tell_all(f"{name} is here")
        elif topic == "ws.message":
            if payload["data"] == "/quit":
                await self.tell(payload["client_pid"], "ws.close", {"code": 4000, "reason": "bye"})
            else:
                await self.tell_all(f"{name}: {payload['data']}")
        elif topic == "ws.leave":
            self.clients.pop(payload["client_pid"], None)
            await self.tell_all(f"{name} has left")


def answer_questions(pid):
    """The HTTP side: the relay asks it before it opens a socket."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self):
            name = parse_qs(urlsplit(self.path).query).get("name", [""])[0]
            if name:
                self.send_response(200)
                # json.dumps writes ASCII only, as headers want it.
                self.send_header("X-WS-Relay", json.dumps({"target_pid": pid, "heartbeat_interval": "30s", "metadata": {"name": name}}))
            else:
                self.send_response(401)
            self.end_headers()
            self.wfile.write(b"" if name else "Say who you are: ?name=…\n".encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"the chat {pid} waits for questions on port {port}", flush=True)


async def main():
    async with websockets.connect(relay.replace("http", "ws", 1) + "/relay", subprotocols=["semblante.v1"]) as socket:
        chat = Chat(socket)
        await chat.say({"type": "hello", "version": 1, "token": os.environ.get("RELAY_TOKEN", "")})
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "welcome":
                await chat.say({"type": "request", "id": "name", "to": "processes", "method": "register", "data": {"name": "chat"}})
            elif message["type"] == "replied" and message["id"] == "name":
                answer_questions(message["data"]["pid"])
            elif message["type"] == "direct":
                await chat.receive(message["data"]["topic"], message["data"]["payload"])
            elif message["type"] == "error":
                print(message["error"]["code"], message["error"]["message"], file=sys.stderr)
    print("the relay closed the connection", file=sys.stderr)


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
