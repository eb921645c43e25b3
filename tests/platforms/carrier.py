"""A small proxy on loopback that knows CONNECT, and remembers what it was asked for."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.platforms.hostile import head


@dataclass
class Carrier:
    """What it is asked for, it finds at `leads` (a port of loopback), or is not there (502)."""

    listener: socket.socket
    leads: dict[str, int] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def asked(self) -> list[str]:
        return [one.partition("\r\n")[0] for one in self.heads]

    def carry(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            received = b""
            while not received.endswith(b"\r\n\r\n"):
                received += client.recv(1)
            self.heads.append(received.decode())
            place = self.leads.get(received.split(b" ")[1].decode())
            if place is None:
                client.sendall(head("HTTP/1.1 502 Nobody there"))
                return
            with socket.create_connection(("127.0.0.1", place)) as server:
                client.sendall(head("HTTP/1.1 200 Led"))
                back = threading.Thread(target=_pump, args=(server, client))
                back.start()
                _pump(client, server)
                back.join()


@contextlib.contextmanager
def carrying() -> Iterator[Carrier]:
    listener = socket.create_server(("127.0.0.1", 0))
    carrier = Carrier(listener)

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=carrier.carry, args=(client,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    yield carrier
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
