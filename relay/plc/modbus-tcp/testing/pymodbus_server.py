"""A Modbus TCP server of pymodbus on a free port, which it prints. Ends after a minute, whatever happens."""
import asyncio
import socket

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer

FLOAT_3 = (0x4040, 0x0000)
LIFETIME_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def serve():
    holding = ModbusSequentialDataBlock(0, [0] * 100)
    holding.setValues(10, [FLOAT_3[1], FLOAT_3[0]])
    holding.setValues(14, [0b100])
    coils = ModbusSequentialDataBlock(0, [False] * 100)
    coils.setValues(4, [True])
    blank = ModbusSequentialDataBlock(0, [0] * 100)
    unit = ModbusSlaveContext(di=blank, co=coils, hr=holding, ir=blank, zero_mode=True)
    port = free_port()
    server = asyncio.ensure_future(
        StartAsyncTcpServer(context=ModbusServerContext(slaves=unit, single=True), address=("127.0.0.1", port))
    )
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.05)
    print(port, flush=True)
    await asyncio.wait([server], timeout=LIFETIME_SECONDS)


asyncio.run(serve())
