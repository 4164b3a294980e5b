"""One seed: two hosts work on one ledger while faults are drawn, then all is made whole and checked."""

import glob
import os
import random
import shutil
import signal
import tempfile
import time

from fake import Fake
from host import Host

# How long a POST may leave after its claim, and when a silent sender counts as dead, in seconds.
FENCE = 1.0
LEASE = 3.0
# Part of every id. It must be nowhere but in the lists, in the calls and in what `find` reads.
CANARY = "canary"
FAULTS = ["kill", "stop", "db", "mixpanel", "both", "crash", "clocks", "answers", "limits", "eclipse"]


class Scenario:
    kind = lost_from = lost_to = None
    fence, canary = FENCE, CANARY

    def __init__(self, seed, server, dsr, isolated, faults, rate):
        self.seed, self.server, self.dsr = seed, server, dsr
        self.random = random.Random(seed)
        self.faults = [f for f in faults if self.random.random() < 0.6] or [self.random.choice(faults)]
        self.folder = tempfile.mkdtemp(prefix="dsr-seed-")
        # `dsr` may run under another user's server, which never reads this folder.
        self.database = f"seed{seed}"
        self.rate = rate
        self.batch = self.random.choice([1, 2, 3])
        self.log = []
        self.problems = []
        # When somebody set the server's clock.
        self.clock_set = []
        self.number = 0
        self.asked = {}
        answers = "answers" in self.faults
        self.fake = Fake(
            self.folder,
            seed,
            1 / self.rate,
            task_life=self.random.choice([None, None, 2, 6]),
            lose_answers=0.08 if answers else 0,
            slow_answers=0.1 if answers else 0,
            limits=0.03 if "limits" in self.faults else 0,
        )
        key = os.path.join(self.folder, "key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(f"{self.random.getrandbits(256):064x}\n")
        server.sql(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
        server.sql(f"CREATE DATABASE {self.database}")
        self.hosts = []
        for name in ("host-a", "host-b"):
            skew = None
            if "clocks" in self.faults:
                skew = self.random.choice([None, "+7m", "-7m", "+5h", "-5h", "+40m"])
            self.hosts.append(
                Host(
                    name,
                    self.folder,
                    dsr,
                    key,
                    server.socket,
                    self.fake.listen(name),
                    self.database,
                    self.rate,
                    self.batch,
                    isolated,
                    skew,
                )
            )

    # The work.

    def note(self, text):
        self.log.append((time.time(), text))

    def run(self, host, *arguments):
        self.number += 1
        command = host.run(self.number, "--lock-timeout", "8s", *arguments)
        self.note(f"start {host.name}#{self.number} {' '.join(arguments)}")
        return command

    def run_to_end(self, host, *arguments, seconds=60):
        command = self.run(host, *arguments)
        if not command.wait(seconds):
            self.problem(f"does not end within {seconds} s: {command.describe()}")
            command.signal(signal.SIGKILL)
            command.wait(5)
        return command

    def submit(self, host):
        name = f"r{len(self.asked) + 1}"
        ids = [f"{name}-{i}-{CANARY}" for i in range(1, self.random.randint(1, 4) * self.batch + 1)]
        path = os.path.join(self.folder, f"{name}.txt")
        with open(path, "w") as file:
            file.write("".join(f"{i}\n" for i in ids))
        kind = self.random.choice(["delete", "delete", "delete", "export"])
        yes = ["--yes"] if kind == "delete" else []
        command = self.run(host, kind, "--gdpr", *yes, "--json", "--ref", name, "--format", "text", "--file", path)
        self.asked[name] = {"kind": kind, "ids": ids, "path": path, "command": command}

    def some_command(self):
        host = self.random.choice(self.hosts)
        if len(host.live()) >= 3:
            return
        what = self.random.choices(["submit", "resume", "status", "refresh", "cancel"], [10, 6, 2, 2, 1])[0]
        if what == "submit":
            self.submit(host)
        elif what == "resume":
            self.run(host, "resume", "--json")
        elif what == "status":
            self.run(host, "status", "--json")
        elif what == "cancel":
            self.cancel(host)
        else:
            self.run(host, "status", "--refresh", "--json")

    def cancel(self, host):
        known = [r["id"] for c in self.commands() if not c.running() for r in c.requests() if r["kind"] == "delete"]
        if known:
            self.run(host, "cancel", "--yes", "--json", self.random.choice(known))

    # The faults. Each returns what undoes it and after how long.

    def kill(self):
        live = [c for h in self.hosts for c in h.live()]
        if live:
            command = self.random.choice(live)
            self.note(f"kill {command.host.name}#{command.number}")
            command.signal(signal.SIGKILL)

    def stop(self):
        live = [c for h in self.hosts for c in h.live()]
        if not live:
            return None
        command = self.random.choice(live)
        seconds = self.random.choice([0.2, FENCE * 1.3, LEASE * 1.3])
        self.note(f"stop {command.host.name}#{command.number} for {seconds:.1f} s")
        command.signal(signal.SIGSTOP)
        return seconds, lambda: command.signal(signal.SIGCONT)

    def break_links(self, names):
        host = self.random.choice(self.hosts)
        mode = self.random.choice(["refuse", "full", "silent", "deaf", "delay"])
        seconds = self.random.choice([0.3, FENCE * 1.3, LEASE * 1.3])
        self.note(f"{' and '.join(names)} {mode} at {host.name} for {seconds:.1f} s")
        if mode == "delay":
            late = self.random.choice([0.005, 0.05, 0.3])
            for name in names:
                host.link(f"{name} delay {late}")
            return seconds, lambda: [host.link(f"{name} delay 0") for name in names]
        drops = mode in ("silent", "deaf") and self.random.random() < 0.5
        for name in names:
            host.link(f"{name} {mode}")
            if drops:
                host.link(f"{name} drop")
        return seconds, lambda: [host.link(f"{name} up") for name in names]

    def eclipse(self):
        """A process stops, and the server loses its sessions: for the other host it is dead."""
        host = self.random.choice(self.hosts)
        live = host.live()
        if not live:
            return None
        command = self.random.choice(live)
        seconds = self.random.choice([FENCE * 1.1, LEASE * 1.3])
        self.note(f"eclipse of {host.name}#{command.number} for {seconds:.1f} s")
        command.signal(signal.SIGSTOP)
        host.link("db silent")
        host.link("db drop")

        def heal():
            host.link("db up")
            command.signal(signal.SIGCONT)

        return seconds, heal

    def crash(self):
        self.note("the database server crashes and restarts")
        self.server.crash_and_restart()
        self.note("the database server is back")

    def some_fault(self):
        # A crash ends every command, so it must be rare.
        fault = self.random.choice(
            [
                f
                for f in self.faults
                if f not in ("clocks", "answers", "limits") and (f != "crash" or self.random.random() < 0.3)
            ]
            or ["kill"]
        )
        return {
            "kill": self.kill,
            "stop": self.stop,
            "crash": self.crash,
            "eclipse": self.eclipse,
            "db": lambda: self.break_links(["db"]),
            "mixpanel": lambda: self.break_links(["api"]),
            "both": lambda: self.break_links(["db", "api"]),
        }[fault]()

    # The course of a seed.

    def prepare(self):
        first = self.run_to_end(self.hosts[0], "ledger", "init")
        if first.status:
            self.problem(f"ledger init failed: {first.err}")
        self.server.sql(
            f"UPDATE dsr.sharing SET fence_ms = {int(FENCE * 1000)}, lease_ms = {int(LEASE * 1000)}", self.database
        )

    def disturb(self, seconds):
        end = time.time() + seconds
        undo = []
        self.submit(self.hosts[0])
        self.submit(self.hosts[1])
        while time.time() < end:
            time.sleep(self.random.uniform(0.02, 0.25))
            now = time.time()
            for item in [u for u in undo if u[0] <= now]:
                item[1]()
                undo.remove(item)
            if len(self.asked) < 10:
                self.some_command()
            if self.random.random() < 0.25:
                later = self.some_fault()
                if later:
                    undo.append((time.time() + later[0], later[1]))
        for _, heal in undo:
            heal()

    def make_whole(self):
        self.note("all is made whole")
        for host in self.hosts:
            for name in ("db", "api"):
                host.link(f"{name} delay 0")
                host.link(f"{name} up")
            for command in host.live():
                command.signal(signal.SIGCONT)
        self.fake.lose_answers = self.fake.slow_answers = self.fake.limits = 0
        deadline = time.time() + 45
        for host in self.hosts:
            for command in host.live():
                if not command.wait(max(0.1, deadline - time.time())):
                    self.problem(f"does not end after all was made whole: {command.describe()}")
                    command.signal(signal.SIGKILL)
                    command.wait(5)

    def head(self):
        return self.server.sql("SELECT count FROM dsr.audit_head", self.database)[0][0]

    def settle(self):
        """Runs `resume` on both hosts until nothing changes and no job waits for a lease."""
        for _ in range(25):
            before = self.head()
            for host in self.hosts:
                self.run_to_end(host, "resume", "--json")
            waiting = self.server.sql(
                "SELECT 1 FROM dsr.jobs WHERE state IN ('sending', 'unknown') AND abandoned_at IS NULL LIMIT 1",
                self.database,
            )
            if self.head() == before and (not waiting or self.quiet_since(before)):
                return
            time.sleep(0.5)
        self.problem("resume does not come to rest")

    def quiet_since(self, head):
        self.quiet = self.quiet + 1 if getattr(self, "quiet_head", None) == head else 1
        self.quiet_head = head
        return self.quiet >= 6

    def receipts(self):
        text = ""
        for host in self.hosts:
            for path in glob.glob(os.path.join(host.home, "**", "receipts", "**", "*"), recursive=True):
                if os.path.isfile(path):
                    with open(path, errors="replace") as file:
                        text += file.read()
        return text

    def commands(self):
        return sorted((c for h in self.hosts for c in h.commands), key=lambda c: c.number)

    def problem(self, text):
        self.problems.append(text)
        self.note(f"PROBLEM {text}")

    def close(self, keep):
        for host in self.hosts:
            host.close()
        self.fake.close()
        if not keep:
            self.server.sql(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
            shutil.rmtree(self.folder, ignore_errors=True)

    def story(self):
        """All that happened, by time."""
        lines = [(at, text) for at, text in self.log]
        for call in self.fake.calls:
            about = call.ids or call.task or ""
            answer = f"{call.status} {call.task or ''} {call.note}"
            lines.append((call.began, f"  {call.host} {call.command} {call.verb} {about} -> {answer}"))
        for command in self.commands():
            if command.ended:
                said = command.err.strip().replace("\n", " | ")[-600:]
                lines.append((command.ended, f"end {command.describe()}: {said}"))
        start = min(at for at, _ in lines)
        return "\n".join(f"{at - start:8.3f} {text}" for at, text in sorted(lines, key=lambda l: l[0]))
