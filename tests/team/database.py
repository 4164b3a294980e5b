"""A PostgreSQL server of our own, in a folder that is removed with it."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile

FAKE_TIME = "/usr/$LIB/faketime/libfaketime.so.1"
SETTINGS = """
listen_addresses = ''
port = 5432
max_connections = 120
fsync = off
max_wal_senders = 4
hot_standby = on
wal_level = replica
"""


def programs():
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda f: float(f.split("/")[-2]))
    if not folders:
        raise SystemExit("no PostgreSQL server is installed (Debian: postgresql)")
    return folders[-1]


class Server:
    """One cluster. `fsync` is off: we stop processes, never the machine."""

    def __init__(self, copy_of=None, settable_clock=False):
        self.folder = tempfile.mkdtemp(prefix="dsr-team-")
        self.data = os.path.join(self.folder, "data")
        self.log = os.path.join(self.folder, "log")
        self.clock = os.path.join(self.folder, "clock") if settable_clock else None
        self.user = []
        if os.geteuid() == 0:
            # PostgreSQL does not run as root.
            self.user = ["runuser", "-u", "postgres", "--"]
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
        os.chmod(self.folder, 0o755)
        if self.clock:
            self.set_clock("+0")
        if copy_of is None:
            self.program(
                "initdb", "-D", self.data, "-U", "dsr", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-N"
            )
        else:
            self.program(
                "pg_basebackup",
                "-h",
                copy_of.folder,
                "-U",
                "dsr",
                "-D",
                self.data,
                "-R",
                "-c",
                "fast",
                "-X",
                "stream",
            )
            with open(os.path.join(self.data, "postgresql.auto.conf"), "a") as file:
                file.write(f"primary_conninfo = 'host={copy_of.folder} user=dsr application_name=standby'\n")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as file:
            file.write(SETTINGS + f"unix_socket_directories = '{self.folder}'\n")
        self.start()

    @property
    def socket(self):
        return os.path.join(self.folder, ".s.PGSQL.5432")

    def set_clock(self, offset):
        """Sets the wall clock of the server, such as to `+1h`. The steady clock stays the kernel's."""
        with open(self.clock, "w") as file:
            file.write(offset)

    def program(self, name, *arguments, check=True):
        fake_time = (
            [
                "env",
                f"LD_PRELOAD={FAKE_TIME}",
                f"FAKETIME_TIMESTAMP_FILE={self.clock}",
                "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
            ]
            if self.clock and name == "pg_ctl"
            else []
        )
        command = [*self.user, *fake_time, os.path.join(programs(), name), *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        if check and done.returncode:
            raise RuntimeError(f"{name}: {done.stdout}")
        return done.stdout

    def control(self, *arguments, check=True):
        return self.program("pg_ctl", "-D", self.data, "-w", "-l", self.log, *arguments, check=check)

    def start(self):
        self.control("start")

    def crash_and_restart(self):
        self.control("restart", "-m", "immediate", check=False)

    def sql(self, statement, database="postgres"):
        """The rows of a statement, as lists of text."""
        command = [
            "psql",
            "-XqAt",
            "-F",
            "\x1f",
            "-R",
            "\x1e",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            self.folder,
            "-U",
            "dsr",
            "-d",
            database,
            "-c",
            statement,
        ]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{statement}: {done.stderr}")
        return [row.split("\x1f") for row in done.stdout.rstrip("\n").split("\x1e") if row]

    def rows(self, table, database):
        """A table as a list of dictionaries."""
        names = [
            r[0]
            for r in self.sql(
                "SELECT column_name FROM information_schema.columns"
                f" WHERE table_schema = 'dsr' AND table_name = '{table}' ORDER BY ordinal_position",
                database,
            )
        ]
        return [dict(zip(names, row)) for row in self.sql(f"SELECT * FROM dsr.{table}", database)]

    def dump(self, database, path):
        with open(path, "wb") as file:
            subprocess.run(
                [os.path.join(programs(), "pg_dump"), "-h", self.folder, "-U", "dsr", "-n", "dsr", database],
                stdout=file,
                check=True,
            )

    def files_with(self, word):
        """The server's files, the log of changes included, that hold a word."""
        self.sql("CHECKPOINT")
        done = subprocess.run(["grep", "-rlaF", word, self.data, self.log], capture_output=True, text=True)
        return [os.path.relpath(path, self.folder) for path in done.stdout.split()]

    def restore(self, database, path):
        """Puts a dump in the place of the ledger, as an operator does after a loss."""
        self.sql("DROP SCHEMA dsr CASCADE", database)
        subprocess.run(
            ["psql", "-XqAt", "-h", self.folder, "-U", "dsr", "-d", database, "-f", path],
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def remove(self):
        if not os.path.exists(self.data):
            return
        self.control("stop", "-m", "immediate", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
