"""A relay in front of the test's PostgreSQL that can freeze: it keeps its connections and forwards nothing any more."""

import socket
import threading
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict

from resources.postgres import Postgres


class FrozenRelay:
    """Listens on a port of loopback; ``postgres`` is the same database, reached through it."""

    def __init__(self, postgres: Postgres) -> None:
        parts = conninfo_to_dict(postgres.dsn)
        self._server_host, self._server_port = str(parts["host"]), int(parts.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        password = f":{parts['password']}" if parts.get("password") else ""
        host, port = self._listener.getsockname()
        self.postgres = replace(postgres, dsn=f"postgresql://{parts['user']}{password}@{host}:{port}/{parts['dbname']}")
        self._frozen = threading.Event()
        self._sockets: list[socket.socket] = [self._listener]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def freeze(self) -> None:
        """Forward nothing any more."""
        self._frozen.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                self._sockets += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _connect(self) -> socket.socket:
        if not self._server_host.startswith("/"):
            return socket.create_connection((self._server_host, self._server_port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._server_host}/.s.PGSQL.{self._server_port}")
        return server

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._frozen.is_set():
                    target.sendall(data)
            if not self._frozen.is_set():
                target.shutdown(socket.SHUT_WR)
