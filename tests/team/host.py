"""One host: its home, its name, its network and clock, its links, and the dsr processes on it.

As root a host has namespaces of its own (network, name, mounts, time) and its own boot id. Otherwise it is
only a home.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid

from database import FAKE_TIME

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = """default_project = "shop"

[projects.shop]
token = "0123456789abcdef0123456789abcdef"
region = "us"
delete_batch = {batch}
export_batch = {batch}
rate = {rate}
"""


def has_namespaces():
    return (
        os.geteuid() == 0
        and subprocess.run(
            ["unshare", "--net", "--mount", "--uts", "--time", "true"], stderr=subprocess.DEVNULL
        ).returncode
        == 0
    )


class Command:
    """One run of dsr. Its number is its OAuth token, so that the fake knows who calls."""

    def __init__(self, host, number, arguments, process):
        self.host, self.number, self.arguments, self.process = host, number, arguments, process
        self.began = time.time()
        self.ended = None
        self.status = None
        self.hurt = []
        self.out = self.err = ""
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    @property
    def token(self):
        return f"token-{self.number}"

    def read(self):
        out, err = self.process.communicate()
        self.ended = time.time()
        self.out, self.err = out.decode(errors="replace"), err.decode(errors="replace")
        self.status = self.process.returncode

    def running(self):
        return self.status is None

    def signal(self, number):
        if self.running():
            self.hurt.append((time.time(), signal.Signals(number).name))
            try:
                self.process.send_signal(number)
            except ProcessLookupError:
                pass

    def wait(self, seconds):
        self.thread.join(seconds)
        return not self.running()

    def json(self):
        """The last JSON object on stdout, or nothing."""
        try:
            return json.loads(self.out.strip().splitlines()[-1])
        except (ValueError, IndexError):
            return None

    def requests(self):
        answer = self.json() or {}
        return answer.get("requests") or ([answer["request"]] if "request" in answer else [])

    def describe(self):
        hurt = ", ".join(f"{name} at {at - self.began:.2f}s" for at, name in self.hurt)
        return f"{self.host.name}#{self.number} dsr {' '.join(self.arguments)} -> {self.status} {hurt}"


class Host:
    def __init__(self, name, folder, dsr, key, server_socket, api_socket, database, rate, batch, isolated, skew=None):
        self.name, self.dsr, self.database, self.skew = name, dsr, database, skew
        self.home = os.path.join(folder, name)
        os.mkdir(self.home, 0o700)
        with open(os.path.join(self.home, "config.toml"), "w") as file:
            file.write(CONFIG.format(rate=rate, batch=batch))
        self.key = key
        self.commands = []
        self.enter = []
        self.holder = None
        if isolated:
            self.isolate()
        self.links = subprocess.Popen(
            [*self.enter, sys.executable, os.path.join(HERE, "link.py"), server_socket, api_socket],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports = self.links.stdout.readline().split()
        self.lock = threading.Lock()

    def isolate(self):
        boot = os.path.join(self.home, "boot_id")
        with open(boot, "w") as file:
            file.write(f"{uuid.uuid4()}\n")
        script = (
            f"mount --bind {boot} /proc/sys/kernel/random/boot_id && hostname {self.name}"
            " && ip link set lo up && echo $$ && exec cat"
        )
        # Each host has been up for another time.
        up = str(100_000 + 50_000 * ord(self.name[-1]))
        self.holder = subprocess.Popen(
            [
                "unshare",
                "--net",
                "--mount",
                "--uts",
                "--time",
                "--boottime",
                up,
                "--monotonic",
                up,
                "sh",
                "-c",
                script,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        inside = self.holder.stdout.readline().strip()
        self.enter = ["nsenter", "-t", inside, "--net", "--mount", "--uts", "--time", "--"]

    def link(self, order):
        """Gives the links an order, and returns the answer; see link.py."""
        with self.lock:
            self.links.stdin.write(order + "\n")
            self.links.stdin.flush()
            return int(self.links.stdout.readline())

    def environment(self, number, extra=None):
        env = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "DSR_HOME": self.home,
            "DSR_TOKEN": f"token-{number}",
            "DSR_TOKEN_ISSUED": time.strftime("%Y-%m-%d", time.gmtime(time.time() - 30 * 86400)),
            "DSR_LEDGER_KEY_FILE": self.key,
            "DSR_LEDGER_URL": f"postgres://dsr@127.0.0.1:{self.ports[0]}/{self.database}?sslmode=disable",
            "DSR_API_URL": f"http://127.0.0.1:{self.ports[1]}/api/app",
            "TZ": "UTC",
        }
        if self.skew:
            env.update(
                {
                    "LD_PRELOAD": FAKE_TIME,
                    "FAKETIME": self.skew,
                    # Only the wall clock is wrong; the steady clock is the kernel's.
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                }
            )
        env.update(extra or {})
        return env

    def run(self, number, *arguments, dsr=None):
        process = subprocess.Popen(
            [*self.enter, dsr or self.dsr, "--no-input", *arguments],
            env=self.environment(number),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        command = Command(self, number, arguments, process)
        self.commands.append(command)
        return command

    def live(self):
        return [c for c in self.commands if c.running()]

    def close(self):
        for command in self.live():
            command.process.kill()
            command.wait(5)
        self.links.stdin.close()
        self.links.kill()
        self.links.wait()
        if self.holder:
            self.holder.stdin.close()
            self.holder.wait()
