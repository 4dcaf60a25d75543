"""One SSH connection with one SFTP channel: the server proves who it is before it is told who we are."""

from __future__ import annotations

import errno
import io
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import paramiko

from connectors._files import Lost, Unreached
from connectors._sftp_host_key import HostKey
from connectors._sftp_wire import Wire
from connectors.base import PermanentError, StoppedError

_LOGIN_REFUSED = (2, 14)  # SSH_DISCONNECT_PROTOCOL_ERROR, which OpenSSH says after too many tries; NO_MORE_AUTH_METHODS
_KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_WINDOW = 4_194_304
_AFTER_CHANNEL_SECONDS = 1.0

# What it logs as an error is raised as well, and told in our own words.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Account:
    """Where a server is, who it is, and who we are there. Times are in seconds."""

    host: str
    port: int
    host_keys: tuple[HostKey, ...]
    user: str
    key: paramiko.PKey | None = field(repr=False)
    password: str = field(repr=False)
    connect_seconds: float
    read_seconds: float
    keep_alive_seconds: float

    @property
    def where(self) -> str:
        return self.host if self.port == 22 else f"{self.host}:{self.port}"


class _Transport(paramiko.Transport):
    """Remembers since when it is there, and why the server ended it."""

    farewell: tuple[int, str] = (0, "")

    def __init__(self, line: socket.socket) -> None:
        super().__init__(line, default_window_size=_WINDOW)
        self._since = time.monotonic()

    def is_older_than(self, seconds: float) -> bool:
        return time.monotonic() - self._since >= seconds

    def _parse_disconnect(self, message: paramiko.Message) -> None:
        self.farewell = (message.get_int(), message.get_text())


class SftpSession:
    """A connection of an account, logged in."""

    def __init__(self, transport: paramiko.Transport, wire: Wire) -> None:
        self._transport, self.wire = transport, wire

    @property
    def is_alive(self) -> bool:
        return self._transport.is_active()

    def close(self) -> None:
        self._transport.close()


def private_key(text: str, passphrase: str | None) -> paramiko.PKey:
    """A private key as OpenSSH and OpenSSL write it. Raises PermanentError that says nothing of it."""
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text.strip() + "\n"), password=passphrase or None)
        except paramiko.PasswordRequiredException:
            raise PermanentError(
                "key: it is encrypted; write its passphrase as passphrase: secret://file/NAME"
            ) from None
        except (paramiko.SSHException, ValueError, TypeError, IndexError):
            continue
    if passphrase:
        raise PermanentError("key: not a private key (Ed25519, ECDSA or RSA), or passphrase is not the one it has")
    raise PermanentError("key: not a private key (Ed25519, ECDSA or RSA) as ssh-keygen writes it")


def open_session(account: Account) -> SftpSession:
    """Connect and log in. Raises Unreached where it may go better later, StoppedError where a person is needed."""
    try:
        line = socket.create_connection((account.host, account.port), account.connect_seconds)
    except OSError as error:
        raise _unreached(error, account.where) from None
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    transport = _Transport(line)
    try:
        _prove_server(transport, account)
        _log_in(transport, account)
        return SftpSession(transport, _open_channel(transport, account))
    except BaseException:
        transport.close()
        raise


def _prove_server(transport: _Transport, account: Account) -> None:
    """Only a server that has a pinned key is told anything of us."""
    wanted = tuple(dict.fromkeys(name for key in account.host_keys for name in key.signatures))
    transport.get_security_options().key_types = wanted
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = account.connect_seconds
    try:
        transport.start_client(timeout=account.connect_seconds)  # which returns as well when the time is over
        shown = transport.get_remote_server_key()
    except paramiko.ssh_exception.IncompatiblePeer as error:
        if "host key" in str(error):
            kinds = ", ".join(key.kind for key in account.host_keys)
            raise StoppedError(
                f"{account.where} has no host key of the type {kinds}; see host_key", "host_key"
            ) from None
        raise StoppedError(
            f"{account.where} and the hub have no algorithm in common: {error}", "no_algorithm"
        ) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _not_opened(transport, account, error) from None
    if shown.asbytes() not in [key.blob for key in account.host_keys]:
        raise StoppedError(
            f"{account.where} shows another host key than the one pinned in host_key ({shown.get_name()} "
            f"{shown.fingerprint}): ask its owner whether it was changed before you trust it", "host_key",
        )  # fmt: skip


def _log_in(transport: _Transport, account: Account) -> None:
    ways: list[Callable[[], list[str]]] = []
    if account.key is not None:
        key = account.key
        ways.append(lambda: transport.auth_publickey(account.user, key))
    if account.password:
        ways.append(lambda: transport.auth_password(account.user, account.password))
    more = ["more"]
    for way in ways:
        try:
            more = way()
        except paramiko.BadAuthenticationType as error:
            allowed = ", ".join(error.allowed_types)
            raise StoppedError(f"{account.where} wants another proof of the user: {allowed}", "login_refused") from None
        except paramiko.AuthenticationException as error:
            if not transport.is_active() and transport.farewell[0] not in _LOGIN_REFUSED:
                raise _not_opened(transport, account, error) from None
            if "timeout" in str(error).lower():
                raise _not_opened(transport, account, TimeoutError()) from None
            raise StoppedError(_refused(account), "login_refused") from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise _not_opened(transport, account, error) from None
        if not more:
            return
    wants = f"; it wants more: {', '.join(more)}" if more != ["more"] else ""
    raise StoppedError(f"{_refused(account)}{wants}", "login_refused")


def _refused(account: Account) -> str:
    proof = "key" if account.key is not None else "password"
    return f"{account.where} does not let the user '{account.user}' in with this {proof}"


def _open_channel(transport: _Transport, account: Account) -> Wire:
    try:
        if account.keep_alive_seconds:
            transport.set_keepalive(int(account.keep_alive_seconds) or 1)
        channel = transport.open_session(timeout=account.connect_seconds)
        channel.settimeout(account.read_seconds)
        channel.invoke_subsystem("sftp")
        return Wire(channel)
    except paramiko.ChannelException as error:
        text = f"{account.where} opens no channel: {error.text}"
        raise Unreached(errno.ECONNREFUSED, text, "channel_refused") from None
    except Lost as lost:
        if lost.code == "not_sftp" or (lost.code == "connection_lost" and _stays(transport)):
            raise _no_sftp(account) from None
        raise Unreached(errno.ECONNRESET, f"{account.where}: {lost.strerror}", lost.code) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        is_late = isinstance(error, TimeoutError) or "Timeout" in str(error)
        if not is_late and _stays(transport):
            raise _no_sftp(account) from None
        raise _not_opened(transport, account, TimeoutError() if is_late else error) from None


def _stays(transport: _Transport) -> bool:
    """Whether only the channel was ended: a server that is being stopped ends the connection just after it."""
    transport.join(_AFTER_CHANNEL_SECONDS)
    return transport.is_active()


def _no_sftp(account: Account) -> StoppedError:
    return StoppedError(f"{account.where} offers the user '{account.user}' no SFTP", "no_sftp")


def _not_opened(transport: _Transport, account: Account, error: Exception) -> Unreached:
    """A connection that was made, but did not come to its use."""
    code, said = transport.farewell
    if code:
        text = f"{account.where} ended the connection: {said[:100] or code}"
        return Unreached(errno.ECONNRESET, text, "connect_failed")
    if isinstance(error, TimeoutError) or transport.is_older_than(account.connect_seconds):
        return Unreached(errno.ETIMEDOUT, f"no login at {account.where} within the connect time-out", "connect_timeout")
    if "banner" in str(error) or "protocol version" in str(error):
        return Unreached(errno.EPROTO, f"{account.where} does not speak SSH", "not_ssh")
    return Unreached(errno.ECONNRESET, f"the connection to {account.where} was closed during login", "connect_failed")


def _unreached(error: OSError, where: str) -> Unreached:
    match error:
        case socket.gaierror():
            return Unreached(errno.EHOSTUNREACH, f"the name {where} could not be looked up", "dns_failed")
        case TimeoutError():
            text = f"no connection to {where} within the connect time-out"
            return Unreached(errno.ETIMEDOUT, text, "connect_timeout")
        case ConnectionRefusedError():
            text = f"{where} refused the connection: nothing listens on that port"
            return Unreached(errno.ECONNREFUSED, text, "connect_refused")
    words = error.strerror or "it was closed while it was being opened"
    return Unreached(
        error.errno or errno.EIO, f"no connection to {where}: {words[:1].lower()}{words[1:]}", "connect_failed"
    )
