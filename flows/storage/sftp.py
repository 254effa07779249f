"""SFTP, by paramiko: no checksums and no conditions, but a rename that replaces a file at once."""

from __future__ import annotations

import io
import secrets
import threading
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from flows.storage.headers import Headers
from flows.storage.store import NotWholeError, Store

CONNECT_S = 15


class SFTP(Store):
    """`sftp://user@host:port/folder`; keys from the agent and ~/.ssh, hosts from known_hosts.

    A connection of paramiko's is for one thread, so each thread has its own. One whose thread has
    ended goes to the next that asks: to open another takes several round trips.
    """

    extra = "sftp"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._own = threading.local()
        self._lines: list[tuple[threading.Thread, tuple[Any, str]]] = []
        self._turn = threading.Lock()
        self._folders: set[str] = set()

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import paramiko

        return (OSError, EOFError, paramiko.SSHException)

    def open(self) -> tuple[Any, str]:
        found: tuple[Any, str] | None = getattr(self._own, "opened", None)
        if found is None or not _is_alive(found[0]):
            found = self._own.opened = self._taken_over() or self._connected()
            with self._turn:
                self._lines.append((threading.current_thread(), found))
        return found

    def _taken_over(self) -> tuple[Any, str] | None:
        with self._turn:
            self._lines = [one for one in self._lines if _is_alive(one[1][0])]
            for one in self._lines:
                if not one[0].is_alive():
                    self._lines.remove(one)
                    return one[1]
        return None

    def _connected(self) -> tuple[Any, str]:
        import fsspec

        client = _client()
        wishes = {**client._get_kwargs_from_urls(self.url), "timeout": CONNECT_S}  # noqa: SLF001
        config = fsspec.config.conf.get("sftp", {})
        base = client._strip_protocol(self.url)  # noqa: SLF001
        fs = client(**{**config, **wishes}, skip_instance_cache=True)
        return fs, str(base).rstrip("/")

    def put(self, name: str, data: bytes, headers: Headers) -> None:
        del headers  # a file system has none
        folder = name.rpartition("/")[0]
        self._make(folder)
        ftp = self.fs.ftp
        temporary = f"{folder}/.{secrets.token_hex(8)}.part"
        try:
            ftp.putfo(io.BytesIO(data), temporary, confirm=False)
            if ftp.stat(temporary).st_size != len(data):
                raise NotWholeError(None, "the size is another one")
            ftp.posix_rename(temporary, name)
        except self.errors:
            with suppress(*self.errors):
                ftp.remove(temporary)
            raise

    def _make(self, folder: str) -> None:
        if folder in self._folders:
            return
        ftp = self.fs.ftp
        for one in [*reversed(PurePosixPath(folder).parents), PurePosixPath(folder)]:
            if str(one) in {"/", "."} or str(one) in self._folders:
                continue
            try:
                ftp.stat(str(one))
            except FileNotFoundError:
                try:
                    ftp.mkdir(str(one))
                except OSError:
                    ftp.stat(str(one))  # another thread made it, or it cannot be made
            self._folders.add(str(one))

    def get(self, name: str) -> bytes:
        file = io.BytesIO()
        self.fs.ftp.getfo(name, file)
        return file.getvalue()

    def remove(self, name: str) -> None:
        self.fs.ftp.remove(name)

    def settle(self, source: str, target: str) -> None:
        self._make(target.rpartition("/")[0])
        self.fs.ftp.posix_rename(source, target)


def _is_alive(fs: Any) -> bool:
    transport = fs.client.get_transport()
    return transport is not None and transport.is_active()


def _client() -> Any:
    """The file system that fsspec has, which otherwise takes whatever key a server shows.

    Named, not looked up: another package may answer to `sftp://` with other words for everything.
    """
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem

    class UnknownHostKeyError(paramiko.SSHException):  # type: ignore[misc,unused-ignore]
        pass

    class Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc,unused-ignore]
        def missing_host_key(self, _client: object, _name: object, _key: object) -> None:
            raise UnknownHostKeyError

    class KnownHosts(SFTPFileSystem):  # type: ignore[misc]
        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            self.client.set_missing_host_key_policy(Refuse())
            try:
                self.client.connect(self.host, **self.ssh_kwargs)
            except paramiko.SSHException as error:
                transport = self.client.get_transport()
                is_known = not isinstance(
                    error, (UnknownHostKeyError, paramiko.BadHostKeyException)
                )
                is_met = transport is not None and transport.initial_kex_done
                is_let_in = transport is not None and transport.is_authenticated()
                self.client.close()
                if is_met and is_known and not is_let_in:
                    raise paramiko.AuthenticationException from error
                raise
            self.ftp = self.client.open_sftp()
            self.ftp.get_channel().settimeout(60)

    return KnownHosts
