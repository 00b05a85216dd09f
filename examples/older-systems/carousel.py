"""A client of carousel_api's WebSocket protocol, for the server it was written for and for this relay. Needs only `websockets` 10 or newer:

python3 examples/older-systems/carousel.py [--url ws://localhost:8765] list
                                           status [MACHINE] | watch [MACHINE ...]
                                           move MACHINE POSITION | command MACHINE CODE [ARGUMENT]
"""

import argparse
import asyncio
import json
import sys

import websockets

# The longest way round takes a while.
MOVE_TIMEOUT_S = 180
ANSWER_TIMEOUT_S = 35


class Refused(Exception):
    """The server answered with an error."""


async def next_message(socket, timeout_s=ANSWER_TIMEOUT_S):
    message = json.loads(await asyncio.wait_for(socket.recv(), timeout_s))
    if message["type"] == "error":
        raise Refused(f"{message.get('code')}: {message['error']}")
    return message


async def answer_to(socket, question, *types):
    await socket.send(json.dumps(question))
    while True:
        message = await next_message(socket)
        if message["type"] in types:
            return message


def show(machine, entry):
    status = entry["status"]
    print(
        f"{machine}: position {entry['position']}, {status.get('READY')}, {status.get('RUN', '?')}, {entry.get('connection_status', '')}",
        flush=True,
    )


async def list_machines(_socket, welcome, _arguments):
    for machine in welcome.get("machines", []):
        print(f"{machine['id']}: {machine['name']} ({machine['type']})")


async def show_status(socket, _welcome, arguments):
    question = {"type": "get_status"}
    if arguments.machine:
        question["machine_id"] = arguments.machine
    message = await answer_to(socket, question, "machine_status", "all_machines_status", "status")
    if message["type"] != "all_machines_status":
        show(message.get("machine_id", "status"), message)
        return
    for machine, entry in message["status"].items():
        if "status" in entry:
            show(machine, entry)
        else:
            print(f"{machine}: {entry['error']}")


async def watch(socket, _welcome, arguments):
    question = {"type": "subscribe", "subscription_type": "all_events"}
    if arguments.machines:
        question["machine_ids"] = arguments.machines
    await socket.send(json.dumps(question))
    async for text in socket:
        message = json.loads(text)
        if message["type"] == "status_broadcast":
            for machine, entry in message["status"].items():
                show(machine, entry)
        elif message["type"] == "command_executed":
            print(f"{message['machine_id']}: command {message['command']} {message['argument']}", flush=True)


async def move(socket, _welcome, arguments):
    machine, position = arguments.machine, arguments.position
    await socket.send(json.dumps({"type": "subscribe", "subscription_type": "status_updates", "machine_ids": [machine]}))
    await socket.send(json.dumps({"type": "send_command", "machine_id": machine, "command": {"command": 1, "argument": position}}))
    is_obeyed = False
    while True:
        message = await next_message(socket, MOVE_TIMEOUT_S)
        if message["type"] == "command_result":
            is_obeyed = True
            print(f"{machine}: {message['data']['result']}", flush=True)
        if message["type"] != "status_broadcast":
            continue
        entry = message["status"][machine]
        show(machine, entry)
        if entry["status"].get("ALARMA") == "Activa":
            raise Refused(f"{machine} reports an alarm.")
        if is_obeyed and entry["position"] == position and entry["status"]["RUN"] == "Detenido":
            return


async def command(socket, _welcome, arguments):
    body = {"command": arguments.code}
    if arguments.argument is not None:
        body["argument"] = arguments.argument
    message = await answer_to(socket, {"type": "send_command", "machine_id": arguments.machine, "command": body}, "command_result")
    print(f"{arguments.machine}: {message['data']['result']}")


def parse_arguments():
    parser = argparse.ArgumentParser(description="Lists, shows, watches and commands storage carousels.")
    parser.add_argument("--url", default="ws://localhost:8765")
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("list").set_defaults(run=list_machines)
    one = tasks.add_parser("status")
    one.add_argument("machine", nargs="?")
    one.set_defaults(run=show_status)
    some = tasks.add_parser("watch")
    some.add_argument("machines", nargs="*")
    some.set_defaults(run=watch)
    target = tasks.add_parser("move")
    target.add_argument("machine")
    target.add_argument("position", type=int)
    target.set_defaults(run=move)
    told = tasks.add_parser("command")
    told.add_argument("machine")
    told.add_argument("code", type=int)
    told.add_argument("argument", type=int, nargs="?")
    told.set_defaults(run=command)
    return parser.parse_args()


async def main():
    arguments = parse_arguments()
    async with websockets.connect(arguments.url) as socket:
        await arguments.run(socket, await next_message(socket), arguments)


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
except (Refused, OSError, asyncio.TimeoutError, websockets.WebSocketException) as problem:
    sys.exit(str(problem) or "No answer came in time.")
