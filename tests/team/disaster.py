"""What befalls the ledger as a whole, in seeds of their own: an old dump, a failover, a newer format."""

import datetime
import os
import signal
import time

from database import Server
from scenario import FENCE, Scenario

DISASTERS = ["dump", "version", "synchronous", "asynchronous", "clock"]
# These need a server of their own.
OWN_SERVER = {"synchronous", "asynchronous", "clock"}


class Disaster(Scenario):
    """`lost_from` and `lost_to` bound the time whose entries the ledger lacks, in Unix seconds."""

    standby = old = None

    def seen(self, host):
        """The number of the last entry that a host has seen."""
        for folder, _, files in os.walk(host.home):
            for name in files:
                if name.startswith("seen-head"):
                    with open(os.path.join(folder, name)) as file:
                        return int(file.read().split(":")[0])
        return 0

    def disturb(self, length):
        getattr(self, f"disturb_{self.kind}")(length)

    # A newer dsr migrates the ledger while older ones run.

    def disturb_version(self, length):
        super().disturb(length)
        for _ in range(4):
            self.some_command()
        time.sleep(self.random.uniform(0, 0.5))
        self.server.sql("UPDATE dsr.ledger_schema SET version = version + 1", self.database)
        bumped = time.time()
        self.note("the ledger has a newer format")
        late = self.run(self.hosts[0], "resume", "--json")
        time.sleep(FENCE + 1.5)
        if late.running() is False and late.status == 0:
            self.problem(f"a dsr that is too old ends with 0: {late.describe()}: {late.out[:300]}")
        written = [
            r
            for r in self.server.sql(
                "SELECT at, event, command FROM dsr.audit ORDER BY seq DESC LIMIT 20", self.database
            )
            if parse(r[0]) > bumped + 0.01
        ]
        if written:
            self.problem(f"a dsr that is too old has written {written}")
        posts = [c.number for c in self.fake.calls if c.verb == "POST" and c.began > bumped + FENCE + 0.3]
        if posts:
            self.problem(f"a dsr that is too old has sent POSTs {posts}")
        self.server.sql("UPDATE dsr.ledger_schema SET version = version - 1", self.database)
        self.note("the ledger has the old format again")

    # A dump is put in the place of the ledger.

    def disturb_dump(self, length):
        path = os.path.join(self.folder, "dump.sql")
        super().disturb(length / 2)
        self.lost_from = time.time()
        self.server.dump(self.database, path)
        super().disturb(length / 2)
        self.end_all()
        self.server.restore(self.database, path)
        self.after_the_loss()

    def end_all(self):
        """Kills what runs, as the operator stops every dsr before a restore."""
        for host in self.hosts:
            host.link("db up")
            host.link("api up")
            for command in host.live():
                command.signal(signal.SIGKILL)
                command.wait(5)

    def after_the_loss(self):
        """Hosts that have seen more are refused until the operator accepts; the others may go on."""
        self.lost_to = time.time()
        count = int(self.head())
        self.note(f"the ledger has {count} entries; the hosts have seen {[self.seen(h) for h in self.hosts]}")
        order = list(self.hosts)
        self.random.shuffle(order)
        for host in order:
            behind = self.seen(host) <= int(self.head()) and host is order[0]
            if behind or self.seen(host) <= count:
                continue
            for words in (["resume", "--json"], ["status", "--json"], ["audit", "verify", "--json"]):
                command = self.run_to_end(host, *words)
                if command.status != 74:
                    self.problem(
                        f"a ledger that was set back is not refused: {command.describe()}"
                        f" {command.out[:200]} {command.err[:300]}"
                    )
                if any(c.command == command.token and c.verb == "POST" for c in self.fake.calls):
                    self.problem(f"POST to a ledger that was set back: {command.describe()}")
            command = self.run_to_end(host, "ledger", "accept", "--yes", "--json")
            if command.status:
                self.problem(f"accept fails: {command.describe()}: {command.err}")
            self.note(f"{host.name} accepted: {command.out.strip()[:400]}")

    # The primary fails, and its standby takes over.

    def start_standby(self):
        self.old = self.server
        self.standby = Server(copy_of=self.server)
        deadline = time.time() + 20
        while time.time() < deadline and not self.server.sql(
            "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"
        ):
            time.sleep(0.1)

    def connect_standby(self, folder):
        """Lets the standby follow the server in a folder, or nobody."""
        self.standby.sql(f"ALTER SYSTEM SET primary_conninfo = 'host={folder} user=dsr application_name=standby'")
        self.standby.sql("SELECT pg_reload_conf()")

    def fail_over(self):
        self.server.control("stop", "-m", "immediate", check=False)
        self.standby.control("promote")
        for host in self.hosts:
            host.link(f"db target {self.standby.socket}")
        self.server = self.standby
        self.note("the standby has taken over")

    def disturb_synchronous(self, length):
        self.start_standby()
        self.server.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self.server.sql("SELECT pg_reload_conf()")
        super().disturb(length / 3)
        self.connect_standby("/nowhere")
        self.note("the standby does not answer")
        super().disturb(self.random.uniform(0.3, 2))
        if self.random.random() < 0.5:
            self.connect_standby(self.server.folder)
            self.note("the standby answers again")
            super().disturb(length / 3)
        else:
            # What is committed without the standby can be read, and is lost.
            self.lost_from = time.time() - 0.2
            self.cancel_waits()
            self.note("somebody ends the wait for the standby")
            super().disturb(0.5)
            self.end_all()
        self.fail_over()
        if self.lost_from:
            self.after_the_loss()
        super().disturb(length / 3)

    # The clock of the server jumps, as after a restored machine or with a standby elsewhere.

    def disturb_clock(self, length):
        super().disturb(length / 3)
        for step in self.random.sample(["+1h", "+7", "-7", "-1h", "+0"], 2):
            self.server.set_clock(step)
            self.clock_set.append(time.monotonic())
            self.note(f"the clock of the server is set to {step}")
            super().disturb(length / 3)

    def cancel_waits(self):
        self.server.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")

    def disturb_asynchronous(self, length):
        self.start_standby()
        super().disturb(length / 2)
        self.connect_standby("/nowhere")
        self.lost_from = time.time() - 0.2
        self.note("the standby does not answer")
        super().disturb(length / 2)
        self.end_all()
        self.fail_over()
        self.after_the_loss()

    def close(self, keep):
        own = self.kind in OWN_SERVER
        super().close(keep or own)
        if own:
            for server in {self.server, self.standby, self.old} - {None}:
                server.remove()


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
