"""A relay in front of the simulated PostgreSQL that can do something at the n-th packet that a run sends."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from psycopg.conninfo import conninfo_to_dict

from resources.postgres import Postgres


class InterruptingRelay:
    """Listens on a port of loopback; ``postgres`` is the same database, reached through it."""

    def __init__(self, postgres: Postgres) -> None:
        parts = conninfo_to_dict(postgres.dsn)
        self._server_host, self._server_port = str(parts["host"]), int(parts.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        password = f":{parts['password']}" if parts.get("password") else ""
        self.postgres = replace(postgres, dsn=f"postgresql://{parts['user']}{password}@{host}:{port}/{parts['dbname']}")
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._left = 0
        self._action: Callable[[], object] | None = None
        self.acted = False
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def arm(self, after: int, action: Callable[[], object]) -> None:
        """Call ``action`` before the packet after the next ``after`` ones is forwarded; ``acted`` says whether it was."""
        with self._lock:
            self._left, self._action, self.acted = after, action, False

    def disarm(self) -> None:
        """Forward all packets."""
        with self._lock:
            self._action = None

    def cut(self) -> None:
        """Close all connections, as a network that fails."""
        with self._lock:
            ended, self._open = self._open, set()
        for one in ended:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _due(self) -> Callable[[], object] | None:
        with self._lock:
            if self._action is None:
                return None
            self._left -= 1
            if self._left >= 0:
                return None
            action, self._action, self.acted = self._action, None, True
            return action

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    server = self._connect()
                except OSError:  # the server takes no further session
                    client.close()
                    continue
                with self._lock:
                    self._open |= {client, server}
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._forward, args=ends, name="relay", daemon=True).start()

    def _connect(self) -> socket.socket:
        if not self._server_host.startswith("/"):
            return socket.create_connection((self._server_host, self._server_port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._server_host}/.s.PGSQL.{self._server_port}")
        return server

    def _forward(self, source: socket.socket, target: socket.socket, sent_by_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if sent_by_client and (action := self._due()):
                    action()
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            with self._lock:
                self._open.discard(one)
            one.close()
