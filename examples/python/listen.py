"""Prints what every station reads. Needs only `websockets` 10 or newer: python3 examples/python/listen.py [http://localhost:8080]"""

import asyncio
import json
import sys
import urllib.request

import websockets


def acquire_token(relay):
    request = urllib.request.Request(f"{relay}/api/auth/acquire-session", method="POST")
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)["data"]["token"]


def show(reading):
    for face in reading["faces"]:
        print(f"{reading['station']}: {face['emotion']} {round(face['confidence'] * 100)} %", flush=True)
    if not reading["faces"]:
        print(f"{reading['station']}: no face", flush=True)


async def listen(relay):
    token = acquire_token(relay)
    async with websockets.connect(relay.replace("http", "ws", 1) + "/relay", subprotocols=["semblante.v1"]) as socket:
        await socket.send(json.dumps({"type": "hello", "version": 1, "token": token}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "welcome":
                await socket.send(json.dumps({"type": "subscribe", "topic": "emotion/#"}))
            elif message["type"] == "error":
                print(message["error"]["code"], message["error"]["message"], file=sys.stderr)
            elif message["type"] == "message":
                show(message["data"])


try:
    asyncio.run(listen(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8080"))
except KeyboardInterrupt:
    pass
