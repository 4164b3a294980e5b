"""What must hold at the end of a seed: the fake's log against the ledger, and against what dsr said."""

import collections
import datetime
import json
import os
import re

# What measuring the pace may cost, in seconds.
TOLERANCE = 0.005
# How long dsr waits for an answer before the next call, in seconds: `jobs/pace.rs`.
IN_FLIGHT = 5
# Clocks in the ledger have milliseconds; the fake may wait for a processor.
SLACK = 0.25
STATUSES = {0, 2, 3, 4, 5, 6, 7, 8, 9, 11, 74, 75, 129, 130, 143, -9, -15, -2}


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Evidence:
    """What the checks read: the tables, the calls, and the job of each id."""

    def __init__(self, scenario):
        s = self.scenario = scenario
        rows = lambda table: s.server.rows(table, s.database)
        self.requests = {r["id"]: r for r in rows("requests")}
        self.jobs = {(j["request"], j["number"]): j for j in rows("jobs")}
        self.attempts = rows("attempts")
        self.steps = rows("steps")
        self.by_name = collections.defaultdict(list)
        for request in self.requests.values():
            self.by_name[request["reference"]].append(request["id"])
        self.job_of = {}
        self.calls = s.fake.calls
        self.posts = [c for c in self.calls if c.verb == "POST"]
        # What the ledger lacks after it was set back, as a span of time.
        self.lost = (s.lost_from, s.lost_to)
        self.said = "".join(c.err for c in s.commands()) + s.receipts()
        self.find()

    def find(self):
        s = self.scenario
        files = [word for asked in s.asked.values() for word in ("--file", asked["path"])]
        found = s.run_to_end(s.hosts[0], "find", "--json", "--format", "text", *files)
        ids = [one for asked in s.asked.values() for one in asked["ids"]]
        people = (found.json() or {}).get("people", [])
        if len(people) != len(ids):
            s.problem(f"find finds {len(people)} of {len(ids)} people: {found.describe()} {found.err[:300]}")
        for person, name in zip(people, ids):
            self.job_of[name] = [(j["request_id"], j["job_id"].rsplit("-", 1)[1]) for j in person["jobs"]]

    def in_lost_time(self, at):
        return self.lost[0] is not None and self.lost[0] <= at + 0.1 and at <= self.lost[1]

    def may_be_lost(self, asked):
        """Whether a request may have been recorded in the lost time only."""
        command = asked["command"]
        return (
            self.lost[0] is not None
            and command.began < self.lost[1]
            and (command.ended or self.lost[1]) > self.lost[0]
        )

    def doubtful(self, key):
        job = self.jobs[key]
        return job["may_be_double"] != "0" or job["state"] == "unknown"


def without_names(text):
    """What dsr said, without what differs in each run."""
    for pattern, word in (
        (r"127\.0\.0\.1:\d+/seed\d+", "SERVER"),
        (r"`[0-9a-f-]{36}`", "TASK"),
        (r"\b[a-z0-9]{16}-\d+", "JOB"),
        (r"dsr resume [a-z0-9]{8}\b", "dsr resume ID"),
        (r"\b\d+\b", "N"),
    ):
        text = re.sub(pattern, word, text)
    return text


def check(scenario, without=()):
    evidence = Evidence(scenario)
    for test in (
        each_id_is_in_one_job,
        what_can_be_resumed_is_recorded,
        no_second_task,
        no_task_is_lost,
        posts_follow_claims,
        the_pace_holds,
        hosts_agree,
        the_trail_is_whole,
        what_was_said_is_true,
        tasks_have_the_ids,
        no_id_leaks,
        resume_tells_of_dead_senders,
    ):
        for text in test(evidence) if test.__name__ not in without else ():
            scenario.problem(f"{test.__name__}: {text}")
    return evidence


def each_id_is_in_one_job(e):
    for name, asked in e.scenario.asked.items():
        requests = e.by_name.get(name, [])
        if len(requests) > 1:
            yield f"{name} is in {len(requests)} requests"
        if not requests and e.may_be_lost(asked):
            continue
        if not requests:
            if any(set(asked["ids"]) & set(p.ids) for p in e.posts):
                yield f"{name} was sent, and is no request"
            if asked["command"].status == 0:
                yield f"{name} ended with 0, and is no request"
            continue
        request = e.requests[requests[0]]
        total = sum(int(j["ids_count"]) for j in e.jobs.values() if j["request"] == request["id"])
        if total != len(asked["ids"]):
            yield f"{name} has {len(asked['ids'])} ids, its jobs have {total}"
        for one in asked["ids"]:
            jobs = e.job_of.get(one, [])
            if len(jobs) != 1:
                yield f"{one} is in {len(jobs)} jobs"


def what_can_be_resumed_is_recorded(e):
    """After 75 `resume` sends the rest, so the request is there."""
    for name, asked in e.scenario.asked.items():
        command = asked["command"]
        if command.status == 75 and name not in e.by_name and not e.may_be_lost(asked):
            yield f"{name} ended with 75, and is no request: {command.err[:400]}"


def no_second_task(e):
    made = collections.defaultdict(list)
    for task in e.scenario.fake.tasks.values():
        for one in task.ids:
            made[one].append(task.id)
    told = set()
    for one, tasks in made.items():
        for key in e.job_of.get(one, []):
            if len(tasks) > 1 and not e.doubtful(key) and key not in told:
                told.add(key)
                yield f"{one} has tasks {tasks}, and job {key} is {e.jobs[key]['state']} without doubt"


def no_task_is_lost(e):
    known = {j["task_id"] for j in e.jobs.values()}
    for post in e.posts:
        if not post.task or post.task in known or post.task in e.said:
            continue
        if e.in_lost_time(post.began) and not any(e.job_of.get(one) for one in post.ids):
            continue
        keys = {k for one in post.ids for k in e.job_of.get(one, [])}
        if not keys or not all(e.doubtful(k) for k in keys):
            yield f"task {post.task} of {post.ids} ({post.command}) is nowhere"


def posts_follow_claims(e):
    """Each POST has an attempt of its own, and left within the fence after the attempt's claim."""
    if e.scenario.kind == "clock":
        # The claims have the server's time, which says nothing then.
        return
    claims = collections.defaultdict(list)
    for attempt in e.attempts:
        if attempt["sender"] != "set-back":
            claims[attempt["request"]].append(seconds(attempt["started_at"]))
    for times in claims.values():
        times.sort()
    for post in e.posts:
        requests = {key[0] for one in post.ids for key in e.job_of.get(one, [])}
        if e.in_lost_time(post.began):
            continue
        if len(requests) != 1:
            yield f"POST {post.number} of {post.ids} is of {len(requests)} requests"
            continue
        times = claims[requests.pop()]
        before = [t for t in times if t <= post.began + 0.01]
        if not before:
            yield f"POST {post.number} of {post.ids} ({post.command}) has no claim"
            continue
        claim = before[-1]
        times.remove(claim)
        late = post.began - claim - e.scenario.fence - held(e.scenario, post)
        if late > SLACK:
            yield f"POST {post.number} of {post.ids} ({post.command}) left {post.began - claim:.3f} s after its claim"


def held(scenario, post):
    """How long the network of a host may have held what was sent."""
    faults = [
        at
        for at, text in scenario.log
        if f"at {post.host} for" in text
        and "api" in text
        and "deaf" not in text
        and "full" not in text
        and post.began - 10 < at < post.began
    ]
    return post.began - min(faults) if faults else 0


def the_pace_holds(e):
    interval = e.scenario.fake.interval
    clock_set = list(e.scenario.clock_set)
    for before, after in zip(e.calls, e.calls[1:]):
        gap = after.steady - before.steady
        if gap < interval - TOLERANCE:
            # All hosts go by the server's clock. If it is set forward, one call may come early.
            moved = [at for at in clock_set if before.steady - IN_FLIGHT <= at <= after.steady]
            if moved:
                clock_set.remove(moved[0])
                continue
            waiting = "" if before.ended and before.ended < after.began else ", the first without an answer"
            yield (
                f"{gap * 1000:.1f} ms between calls {before.number} ({before.host} {before.command} {before.verb}) and "
                f"{after.number} ({after.host} {after.command} {after.verb}){waiting}"
            )


def hosts_agree(e):
    answers = []
    for host in e.scenario.hosts:
        command = e.scenario.run_to_end(host, "status", "--all", "--cached", "--json")
        if command.status:
            yield f"status ends with {command.status} on {host.name}: {command.err}"
        answer = command.json() or {}
        # A receipt that no job can take is the matter of one host.
        answer["warnings"] = [w for w in answer.get("warnings", []) if w["kind"] != "receipt_left"]
        # Jobs become due between the two calls.
        answer.pop("polling", None)
        answers.append(json.dumps(answer))
    if answers[0] != answers[1]:
        yield f"status differs: {first_difference(*answers)}"


def first_difference(one, other):
    for i, (a, b) in enumerate(zip(one, other)):
        if a != b:
            return f"…{one[max(0, i - 80):i + 80]}… and …{other[max(0, i - 80):i + 80]}…"
    return f"{len(one)} and {len(other)} bytes"


def the_trail_is_whole(e):
    for host in e.scenario.hosts:
        command = e.scenario.run_to_end(host, "audit", "verify", "--json")
        answer = command.json() or {}
        if command.status or not answer.get("audit", {}).get("whole"):
            yield f"audit verify on {host.name} ends with {command.status}: {command.out[:800]} {command.err[:400]}"


def tasks_have_the_ids(e):
    """A job's task has all of the job's ids."""
    ids = collections.defaultdict(set)
    for one, keys in e.job_of.items():
        for key in keys:
            ids[key].add(one)
    for key, job in e.jobs.items():
        if not job["task_id"]:
            continue
        task = e.scenario.fake.tasks.get(job["task_id"])
        if task is None:
            yield f"job {key} has a task that was never made: {job['task_id']}"
        elif job["state"] in ("accepted", "running", "done") and not ids[key] <= set(task.ids):
            yield f"job {key} has {sorted(ids[key])}, its task {task.ids}"
        elif job["state"] == "done" and task.status() != "SUCCESS" or job["state"] == "revoked" and not task.revoked:
            yield f"job {key} is {job['state']}, its task {task.status()}"


def resume_tells_of_dead_senders(e):
    """`resume` does not end with 0 while a job has the state `sending` and its sender was killed before."""
    killed = {c.token: at for c in e.scenario.commands() for at, name in c.hurt if name == "SIGKILL"}
    for command in e.scenario.commands():
        if "resume" not in command.arguments or command.status != 0:
            continue
        for request in command.requests():
            for job in request["jobs"]:
                if job["state"] != "sending":
                    continue
                ids = {one for one, keys in e.job_of.items() if (request["id"], job["id"].rsplit("-", 1)[1]) in keys}
                posts = [p for p in e.posts if ids & set(p.ids) and p.began < command.ended]
                if posts and killed.get(posts[-1].command, command.began) < command.began - 0.1:
                    yield f"{command.describe()} leaves job {job['id']} to {posts[-1].command}, which was killed"


def no_id_leaks(e):
    """No id in the server's files, in a host's home, or in what dsr wrote to stderr."""
    for path in e.scenario.server.files_with(e.scenario.canary):
        yield f"an id is in the server's {path}"
    for host in e.scenario.hosts:
        for path in files_in(host.home):
            with open(path, "rb") as file:
                if e.scenario.canary.encode() in file.read():
                    yield f"an id is in {os.path.relpath(path, host.home)} of {host.name}"
    for command in e.scenario.commands():
        if e.scenario.canary in command.err:
            yield f"{command.describe()} writes an id to stderr: {command.err[:300]}"


def files_in(folder):
    return [os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names]


def what_was_said_is_true(e):
    for command in e.scenario.commands():
        posts = [p for p in e.posts if p.command == command.token]
        lower = command.err.lower()
        if command.status not in STATUSES:
            yield f"{command.describe()}: {command.err[-800:]}"
        if "panicked" in lower:
            yield f"{command.describe()} panicked: {command.err[-800:]}"
        if "nothing was sent" in lower and posts:
            sent = [p.number for p in posts]
            yield f"{command.describe()} says that nothing was sent, and sent {sent}: {command.err[-400:]}"
        # A run may lose its turn at the ledger in the middle.
        is_locked_out = command.status == 11 and '"kind":"locked"' in command.err
        if command.status in (2, 5, 11) and posts and not is_locked_out:
            yield f"{command.describe()} ends with {command.status}, and sent {[p.number for p in posts]}"
        if "--json" in command.arguments and command.status is not None and command.status >= 0:
            yield from json_holds(e, command)


def json_holds(e, command):
    if command.err.strip():
        try:
            json.loads(command.err)
        except ValueError:
            yield f"{command.describe()}: stderr is not one JSON object: {command.err[-400:]}"
    for request in command.requests():
        name = request["ref"]
        if e.lost[0] is not None and command.began < e.lost[1]:
            return
        if request["id"] not in e.requests:
            yield f"{command.describe()} names request {request['id']}, which the ledger lacks"
            continue
        for job in request["jobs"]:
            key = (request["id"], job["id"].rsplit("-", 1)[1])
            ids = {one for one, keys in e.job_of.items() if key in keys}
            sent = [
                p for p in e.posts if ids & set(p.ids) and p.ended and p.ended < command.began and p.status == 201
            ]
            if job["state"] == "planned" and sent and not job["possible_duplicate"]:
                yield f"{command.describe()} says that job {job['id']} is planned, after POST {sent[0].number}"
            if job["state"] in ("accepted", "running", "done") and not job["task_id"]:
                yield f"{command.describe()} says that job {job['id']} of {name} is {job['state']}, without a task"
        if command.status == 0 and command.arguments[2] in ("delete", "export", "resume"):
            open_jobs = [j["id"] for j in request["jobs"] if j["state"] in ("planned", "deferred", "unknown")]
            if open_jobs and command.arguments[2] != "resume":
                yield f"{command.describe()} ends with 0 while {open_jobs} are not sent"
