"""The database over TLS, against Debian's own server with certificates of the test."""

from __future__ import annotations

import datetime
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
HOST, PASSWORD = "database.test", "a-password-of-the-test"
MIGRATE = "from review.setup import migrate, setup; setup(); migrate()"
ASK = (
    "from review.setup import setup; setup(); from django.db import connection; "
    "cursor = connection.cursor(); "
    "cursor.execute('SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()'); "
    "print(*cursor.fetchone())"
)
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
ssl_ca_file = 'ca.crt'
fsync = off
"""
# Nobody comes in without TLS; `certified` must show a certificate of the same name as well.
ACCESS = """
hostssl all certified 127.0.0.1/32 scram-sha-256 clientcert=verify-full
hostssl all postgres  127.0.0.1/32 scram-sha-256
"""


class Authority:
    """A certificate authority, and what it signs."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=0))

    def issue(self, name: str, certificate: Path, key: Path) -> None:
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate.write_bytes(self._sign(subject, own, x509.SubjectAlternativeName([x509.DNSName(name)])))
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        key.touch(mode=0o600)
        key.write_bytes(own.private_bytes(serialization.Encoding.PEM, *form))

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, more: x509.ExtensionType) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        signed = builder.add_extension(more, critical=False).sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


@dataclass
class Server:
    """A running PostgreSQL; `folder` holds what a client needs."""

    folder: Path
    data: Path
    port: int
    process: subprocess.Popen[bytes]

    def address(self, user: str = "postgres", host: str = HOST, password: str = PASSWORD, **more: str) -> str:
        certificate = str(self.folder / "ca.crt")
        options = {"hostaddr": "127.0.0.1", "sslmode": "verify-full", "sslrootcert": certificate}
        query = urllib.parse.urlencode({**options, **more})
        return f"postgresql://{user}:{password}@{host}:{self.port}/postgres?{query}"

    def switch_tls(self, state: str) -> None:
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"ssl = {state}\n")
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.has_tls() == (state == "on"))

    def has_tls(self) -> bool:
        """Ask as a client does before it says who it is."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
            return client.recv(1) == b"S"


def wait_until(condition: object) -> None:
    for _ in range(200):
        try:
            if condition():  # type: ignore[operator]
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not do what was asked")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if not PROGRAMS:
        pytest.skip("needs PostgreSQL's server (Debian: apt-get install postgresql)")
    # PostgreSQL does not run as root, and pytest's own folders are closed to others.
    who = {"user": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="spinetriage-tls-") as scratch:
        folder, data = Path(scratch), Path(scratch, "data")
        folder.chmod(0o711)
        lay_out(folder, data, who)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [PROGRAMS[-1] / "postgres", "-D", data, "-p", str(port)]
        process = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **who)
        try:
            running = Server(folder, data, port, process)
            wait_until(running.has_tls)
            wait_until(lambda: add_user(running))
            yield running
        finally:
            process.send_signal(signal.SIGINT)  # a fast end: it waits for no client
            process.wait(20)


def lay_out(folder: Path, data: Path, who: dict[str, str]) -> None:
    """Make the server's data and everybody's certificates."""
    password = folder / "password"
    password.write_text(PASSWORD)
    data.mkdir()
    give([data, password], who)
    begin = [PROGRAMS[-1] / "initdb", "--pgdata", data, "--username=postgres", "--no-sync", "--no-locale"]
    begin += ["--encoding=UTF8", "--auth=scram-sha-256", f"--pwfile={password}"]
    subprocess.run(begin, check=True, capture_output=True, cwd="/", **who)
    with (data / "postgresql.conf").open("a") as file:
        file.write(CONFIGURATION)
    (data / "pg_hba.conf").write_text(ACCESS)
    ours, strange = Authority("hospital"), Authority("stranger")
    (folder / "strange.crt").write_bytes(strange.certificate)
    for certificate in (folder / "ca.crt", data / "ca.crt"):
        certificate.write_bytes(ours.certificate)
    ours.issue("certified", folder / "client.crt", folder / "client.key")
    ours.issue(HOST, data / "server.crt", data / "server.key")
    give([data / "ca.crt", data / "server.crt", data / "server.key"], who)


def give(paths: list[Path], who: dict[str, str]) -> None:
    if who:
        for path in paths:
            shutil.chown(path, who["user"])


def add_user(server: Server) -> bool:
    try:
        with psycopg.connect(server.address()) as connection:
            connection.execute(f"CREATE ROLE certified LOGIN PASSWORD '{PASSWORD}'")
    except psycopg.OperationalError:  # it is still starting
        return False
    return True


# What the server waits for, then what we do.
LIFE = """
import socket
from review.setup import setup
setup()
from django.db import connection
with connection.cursor() as cursor:
    for name in ("idle", "interval", "count"):
        cursor.execute(f"SHOW tcp_keepalives_{name}")
        print(cursor.fetchone()[0])
ours = socket.socket(fileno=connection.connection.fileno())
print(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
print(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
"""


def call(address: str, var: Path, code: str = MIGRATE) -> subprocess.CompletedProcess[str]:
    own = {"SPINETRIAGE_VAR": str(var), "SPINETRIAGE_DATABASE_URL": address}
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | own, capture_output=True, text=True, check=False
    )


def test_what_we_ask_goes_over_tls(server: Server, tmp_path: Path) -> None:
    done = call(server.address(channel_binding="require"), tmp_path, ASK)
    assert done.stdout.split() == ["True", "None"], done.stderr


def test_either_side_finds_out_in_a_minute_that_the_other_is_gone(server: Server, tmp_path: Path) -> None:
    done = call(server.address(), tmp_path, LIFE)
    assert done.stdout.split() == ["30", "10", "3", "30", "60000"], done.stderr
    done = call(server.address(options="-c tcp_keepalives_idle=99", keepalives_idle="98"), tmp_path, LIFE)
    idle, *_, ours, most = done.stdout.split()
    assert (idle, ours, most) == ("99", "98", "60000"), done.stderr


def refused(address: str, var: Path) -> str:
    """Return the one line that a person is told of a database that cannot be used."""
    done = call(address, var)
    assert done.returncode == 1
    assert PASSWORD not in done.stdout + done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("review.site.SiteError: The PostgreSQL database postgres cannot be used (")
    assert line.endswith("). Correct SPINETRIAGE_DATABASE_URL, or start the database.")
    return line


def test_a_server_of_another_authority_is_refused(server: Server, tmp_path: Path) -> None:
    address = server.address(sslrootcert=str(server.folder / "strange.crt"))
    assert "certificate verify failed" in refused(address, tmp_path)


def test_a_server_of_another_name_is_refused(server: Server, tmp_path: Path) -> None:
    line = refused(server.address(host="elsewhere.test"), tmp_path)
    assert f'server certificate for "{HOST}" does not match host name "elsewhere.test"' in line


def test_a_missing_file_of_the_authority_is_told(server: Server, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.crt")
    assert f'root certificate file "{missing}" does not exist' in refused(
        server.address(sslrootcert=missing), tmp_path
    )


def test_a_server_without_tls_is_refused(server: Server, tmp_path: Path) -> None:
    server.switch_tls("off")
    try:
        assert "server does not support SSL, but SSL was required" in refused(server.address(), tmp_path)
    finally:
        server.switch_tls("on")


def test_a_wrong_password_is_not_repeated(server: Server, tmp_path: Path) -> None:
    assert "password authentication failed" in refused(server.address(password=f"{PASSWORD}-not"), tmp_path)


def test_a_client_certificate_is_shown_to_a_server_that_wants_one(server: Server, tmp_path: Path) -> None:
    address = server.address(user="certified")
    assert "requires a valid client certificate" in refused(address, tmp_path)
    own = {"sslcert": str(server.folder / "client.crt"), "sslkey": str(server.folder / "client.key")}
    done = call(server.address(user="certified", **own), tmp_path, ASK)
    assert done.stdout.split() == ["True", "/CN=certified"], done.stderr
