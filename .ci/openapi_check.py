"""Holds a running sandbox against Mixpanel's own OpenAPI descriptions.

Drives the five operations of the GDPR API, their 401 and 403 replies included, at no more than one
call a second, the operations that a service account reads with, and those that take events and
profiles. Checks that each status is
declared for its operation, that each body fits its schema, and that what is required is demanded.
Talks to loopback only. The sandbox must answer creates in the object shape, the one OpenAPI knows.

    python openapi_check.py sandbox.json FOLDER

`sandbox.json` is what `dsr sandbox --json` prints, FOLDER has the descriptions.
"""

import argparse
import base64
import http.client
import json
import re
import sys
import time
import uuid
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import quote, urlencode, urlsplit

import jsonschema
import yaml

# By arrival at the server: a little more than the second it asks for covers the way there.
PAUSE = 1.02

# How long a task may take to get from PENDING to where a check wants it.
PATIENCE = 60.0


class CheckFailed(Exception):
    """What the server did that the description does not allow."""


@dataclass
class Reply:
    status: int
    content_type: str
    text: bytes
    body: Any = None


@dataclass
class Checks:
    passed: int = 0
    failed: int = 0

    def run(self, name: str, check: Callable[[], None]) -> None:
        try:
            check()
        except (CheckFailed, OSError, http.client.HTTPException) as failure:
            self.failed += 1
            print(f"FAILED  {name}: {failure}", flush=True)
        else:
            self.passed += 1
            print(f"passed  {name}", flush=True)


class Description:
    """The operations of an OpenAPI 3.0 document, by their ids."""

    def __init__(self, path: str) -> None:
        with open(path, encoding="utf-8") as file:
            self.document = yaml.safe_load(file)
        self.operations = {
            operation["operationId"]: (method, template, self.resolve(operation))
            for template, item in self.document["paths"].items()
            for method, operation in item.items()
            if method in {"get", "put", "post", "delete", "patch"}
        }

    def resolve(self, node: Any) -> Any:
        """A copy of `node` with what each `$ref` points to in its place."""
        if isinstance(node, list):
            return [self.resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" not in node:
            return {key: self.resolve(value) for key, value in node.items()}
        target = self.document
        reference = node["$ref"]
        if not reference.startswith("#/"):
            raise SystemExit(f"cannot resolve {reference}")
        for step in reference[2:].split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return self.resolve(target)

    def check(self, operation_id: str, reply: Reply) -> None:
        """Raises unless `reply` is one the operation declares."""
        _, _, operation = self.operations[operation_id]
        declared = operation["responses"].get(str(reply.status))
        if declared is None:
            raise CheckFailed(f"status {reply.status} is not declared: {reply.text[:200]!r}")
        content = declared.get("content")
        if content is None:
            if reply.text:
                raise CheckFailed(f"{reply.status} declares no body, got {reply.text[:200]!r}")
            return
        media_type = reply.content_type.split(";")[0].strip().lower()
        if media_type not in content:
            raise CheckFailed(f"content type {reply.content_type!r} is not declared")
        try:
            is_json = media_type == "application/json"
            is_number = content[media_type].get("schema", {}).get("type") == "integer"
            reply.body = json.loads(reply.text) if is_json or is_number else reply.text.decode()
            # OpenAPI 3.0 schemas are a dialect of draft 5, and draft 4 is the nearest here.
            jsonschema.Draft4Validator(content[media_type].get("schema", {})).validate(reply.body)
        except (ValueError, jsonschema.ValidationError) as error:
            raise CheckFailed(f"the body does not fit: {str(error).splitlines()[0]}") from error


class Server:
    """Calls the API at `base_url`, one call a second."""

    def __init__(self, base_url: str, description: Description, bearer: str, token: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise SystemExit("the base URL must be http on loopback")
        self.host, self.port, self.prefix = parts.hostname, parts.port or 80, parts.path.rstrip("/")
        self.description = description
        self.bearer, self.token = bearer, token
        self.next_call = 0.0

    def call(self, operation_id: str, task: str = "", body: Any = None, **other: str | None) -> Reply:
        """Calls one operation; `bearer=` and `token=` take the place of the good ones, None leaves out."""
        method, template, _ = self.description.operations[operation_id]
        # The description leaves out the slash at the end that the service insists on.
        path = self.prefix + template.replace("{tracking_id}", quote(task, safe="")) + "/"
        bearer, token = other.get("bearer", self.bearer), other.get("token", self.token)
        if token is not None:
            path += "?" + urlencode({"token": token})
        headers = {"Accept": "application/json"}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(body).encode()
        time.sleep(max(0.0, self.next_call - time.monotonic()))
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.request(method.upper(), path, payload, headers)
            response = connection.getresponse()
            return Reply(response.status, response.headers.get("Content-Type", ""), response.read())
        finally:
            connection.close()
            self.next_call = time.monotonic() + PAUSE

    def expect(self, status: int, operation_id: str, task: str = "", body: Any = None, **other: str | None) -> Reply:
        """Calls, and holds the reply to the description and to `status`."""
        reply = self.call(operation_id, task, body, **other)
        self.description.check(operation_id, reply)
        if reply.status != status:
            raise CheckFailed(f"status {reply.status} in place of {status}: {reply.text[:200]!r}")
        return reply

    def expect_status(self, wanted: str, operation_id: str, task: str) -> Reply:
        """Polls until the task is where it should be, each reply held to the description."""
        give_up = time.monotonic() + PATIENCE
        while True:
            reply = self.expect(200, operation_id, task)
            status = reply.body["results"].get("status")
            if status == wanted:
                return reply
            if time.monotonic() > give_up:
                raise CheckFailed(f"still {status} in place of {wanted}")


class Tasks:
    """The tasks one run creates, by the check that creates them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ids: dict[str, str] = {}

    def create(self, name: str, operation_id: str, **fields: str) -> None:
        # New ids each time: an earlier run's deletions may still be active.
        body = {"distinct_ids": [f"{name}-{uuid.uuid4()}", f"{name}-{uuid.uuid4()}"], **fields}
        reply = self.server.expect(201, operation_id, body=body)
        task = reply.body["results"].get("task_id")
        if not task:
            raise CheckFailed("the reply names no task_id")
        self.ids[name] = task

    def id(self, name: str) -> str:
        if name not in self.ids:
            raise CheckFailed(f"{name} was not created")
        return self.ids[name]


def check_refusals(checks: Checks, server: Server) -> None:
    body = {"distinct_ids": ["nobody"]}
    for operation_id, (method, template, _) in server.description.operations.items():
        task = "1600000000000000001" if "{" in template else ""
        payload = body if method == "post" else None

        def refused(status: int, **other: str | None) -> Callable[[], None]:
            def check() -> None:
                reply = server.expect(status, operation_id, task, payload, **other)
                if reply.body.get("status") != "error" or not reply.body.get("error"):
                    raise CheckFailed(f"no error text: {reply.text[:200]!r}")

            return check

        checks.run(f"{operation_id} 401 without a bearer token", refused(401, bearer=None))
        checks.run(f"{operation_id} 401 with a wrong bearer token", refused(401, bearer="wrong"))
        checks.run(f"{operation_id} 403 without a project token", refused(403, token=None))
        checks.run(f"{operation_id} 403 with a project id for a token", refused(403, token="2195193"))


def check_tasks(checks: Checks, server: Server) -> None:
    tasks = Tasks(server)

    def cancel() -> None:
        server.expect(204, "delete-deletion", tasks.id("cancelled"))

    def done() -> None:
        reply = server.expect_status("SUCCESS", "get-retrieval", tasks.id("gdpr"))
        if not reply.body["results"].get("results"):
            raise CheckFailed("a finished retrieval has no link")

    def status(wanted: str, operation_id: str, name: str) -> Callable[[], None]:
        return lambda: server.expect_status(wanted, operation_id, tasks.id(name)) and None

    def create(name: str, operation_id: str, **fields: str) -> Callable[[], None]:
        return lambda: tasks.create(name, operation_id, **fields)

    # Cancelled at once: a deletion that has started can no longer be.
    checks.run("create-deletion 201, to be cancelled", create("cancelled", "create-deletion"))
    checks.run("delete-deletion 204", cancel)
    checks.run("get-deletion 200 REVOKED", status("REVOKED", "get-deletion", "cancelled"))

    ccpa = {"compliance_type": "CCPA", "disclosure_type": "Categories"}
    checks.run("create-retrieval 201 for the GDPR", create("gdpr", "create-retrieval", compliance_type="GDPR"))
    checks.run("get-retrieval 200 SUCCESS with its link", done)
    checks.run("create-retrieval 201 for the CCPA", create("ccpa", "create-retrieval", **ccpa))
    checks.run("get-retrieval 200 SUCCESS for the CCPA", status("SUCCESS", "get-retrieval", "ccpa"))
    checks.run("create-deletion 201 for the CCPA", create("deleted", "create-deletion", compliance_type="CCPA"))
    checks.run("get-deletion 200 SUCCESS", status("SUCCESS", "get-deletion", "deleted"))
    checks.run("get-deletion 200 NOT_FOUND of a retrieval", status("NOT_FOUND", "get-deletion", "gdpr"))
    checks.run("get-retrieval 200 NOT_FOUND of a deletion", status("NOT_FOUND", "get-retrieval", "deleted"))


# The operations that a service account reads with, and the parameters of a good call. The ids are
# of digits: OpenAPI knows no others in a profile.
READS = {
    "query": ("engage-query", {}, {"distinct_ids": '["4711", "nobody"]', "output_properties": '["$email"]'}),
    "raw-export": ("raw-event-export", {"from_date": "2026-01-01", "to_date": "2026-11-30", "limit": "9"}, None),
    "data-pipelines": ("list-warehouse-pipeline-jobs", {}, None),
    "warehouse-connectors": ("list-warehouse-imports", {}, None),
}


class Writer:
    """Imports events and deletes profiles."""

    def __init__(self, sandbox: dict[str, Any], path: str) -> None:
        self.description = Description(path)
        self.sandbox = sandbox
        self.host = urlsplit(sandbox["api_url"]).netloc
        self.account = f"{sandbox['service_account']}:{sandbox['service_account_secret']}"

    def call(self, operation_id: str, query: dict[str, str], body: Any, account: str | None = None) -> Reply:
        method, template, operation = self.description.operations[operation_id]
        declared = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        if unknown := set(query) - declared:
            raise CheckFailed(f"not declared: {unknown}")
        headers = {"Content-Type": "application/json"}
        if account is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(account.encode()).decode()
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            path = f"{template.split('#')[0]}?{urlencode(query)}"
            connection.request(method.upper(), path, json.dumps(body), headers)
            response = connection.getresponse()
            return Reply(response.status, response.headers.get("Content-Type", ""), response.read())
        finally:
            connection.close()

    def expect(self, status: int, operation_id: str, query: dict[str, str], body: Any, account: str | None = None) -> Reply:
        reply = self.call(operation_id, query, body, account)
        if reply.status != status:
            raise CheckFailed(f"status {reply.status} in place of {status}: {reply.text[:200]!r}")
        self.description.check(operation_id, reply)
        return reply


def check_writes(checks: Checks, sandbox: dict[str, Any], folder: str) -> None:
    writer = Writer(sandbox, f"{folder}/ingestion.openapi.yaml")
    query = {"strict": "1", "project_id": str(sandbox["project_id"])}
    good = {"event": "Buy", "properties": {"time": 1790000000, "distinct_id": "anon-1", "$insert_id": "a-1"}}
    bad = {"event": "Buy", "properties": {"time": "soon", "distinct_id": "anon-1", "$insert_id": "a-2"}}

    def imports(title: str, status: int, body: Any, account: str | None, count: int | None) -> None:
        def check() -> None:
            reply = writer.expect(status, "import-events", query, body, account)
            if reply.body.get("num_records_imported") != count:
                raise CheckFailed(f"not {count} imported: {reply.text[:200]!r}")

        checks.run(f"import-events {status} {title}".rstrip(), check)

    imports("", 200, [good, good], writer.account, 2)
    imports("for one bad event", 400, [good, bad], writer.account, 1)
    imports("without an account", 401, [good], None, None)
    imports("with a wrong secret", 401, [good], sandbox["service_account"] + ":wrong", None)
    imports("for too many events", 413, [good] * 2001, writer.account, None)
    delete = {"$token": sandbox["project_token"], "$distinct_id": "4711", "$delete": "", "$ignore_alias": True}
    for body, said in ([delete], 1), ([{**delete, "$distinct_id": ""}], 0):

        def deletes(body: Any = body, said: int = said) -> None:
            if writer.expect(200, "delete-profile", {}, body).body != said:
                raise CheckFailed(f"not {said}")

        checks.run(f"delete-profile 200 {said}", deletes)


class Reader:
    """Calls one operation as a service account."""

    def __init__(self, sandbox: dict[str, Any], path: str, operation_id: str) -> None:
        self.description = Description(path)
        self.operation_id = operation_id
        self.method, self.template, self.operation = self.description.operations[operation_id]
        server = re.sub(r"\{\w+\}", "x", self.description.document["servers"][0]["url"])
        self.prefix = urlsplit(server).path
        self.host = urlsplit(sandbox["api_url"]).netloc
        self.account = f"{sandbox['service_account']}:{sandbox['service_account_secret']}"

    def call(self, query: dict[str, str], form: dict[str, str] | None, account: str | None) -> Reply:
        query = dict(query)
        if "{projectId}" in self.template:
            path = self.template.replace("{projectId}", query.pop("project_id"))
        else:
            path = self.template
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        if account is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(account.encode()).decode()
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            payload = urlencode(form) if form is not None else None
            connection.request(self.method.upper(), f"{self.prefix}{path}?{urlencode(query)}", payload, headers)
            response = connection.getresponse()
            return Reply(response.status, response.headers.get("Content-Type", ""), response.read())
        finally:
            connection.close()

    def expect(self, status: int, query: dict[str, str], form: dict[str, str] | None = None, **other: str | None) -> Reply:
        """Calls, and holds the reply to the description. Some descriptions declare no refusals."""
        reply = self.call(query, form, other.get("account", self.account))
        if reply.status != status:
            raise CheckFailed(f"status {reply.status} in place of {status}: {reply.text[:200]!r}")
        if status == 200 or str(status) in self.operation["responses"]:
            self.description.check(self.operation_id, reply)
        elif not json.loads(reply.text).get("error"):
            raise CheckFailed(f"no error text: {reply.text[:200]!r}")
        return reply

    def demanded(self) -> list[str]:
        parameters = self.operation["parameters"]
        return [one["name"] for one in parameters if one.get("required") and one["in"] == "query"]

    def check_names(self, query: dict[str, str], form: dict[str, str] | None) -> None:
        declared = {one["name"] for one in self.operation["parameters"]} | {"project_id"}
        if form is not None:
            body = self.operation["requestBody"]["content"]["application/x-www-form-urlencoded"]
            declared |= set(body["schema"]["properties"])
        if unknown := {*query, *(form or {})} - declared:
            raise CheckFailed(f"not declared: {unknown}")


def check_reads(checks: Checks, sandbox: dict[str, Any], folder: str) -> None:
    for name, (operation_id, query, form) in READS.items():
        reader = Reader(sandbox, f"{folder}/{name}.openapi.yaml", operation_id)
        good = {"project_id": str(sandbox["project_id"]), **query}

        def check(title: str, status: int, query: dict[str, str], **other: str | None) -> None:
            checks.run(f"{operation_id} {status} {title}".rstrip(), lambda: reader.expect(status, query, form, **other) and None)

        checks.run(f"{operation_id} has these parameters", lambda: reader.check_names(good, form))
        check("", 200, good)
        check("without an account", 401, good, account=None)
        check("with a wrong secret", 401, good, account=sandbox["service_account"] + ":wrong")
        check("of another project", 403, {**good, "project_id": "1"})
        for required in reader.demanded():
            check(f"without {required}", 400, {key: value for key, value in good.items() if key != required})

        def has_results() -> None:
            body = reader.expect(200, good, form).body
            if operation_id == "raw-event-export":
                rows = [json.loads(line) for line in body.splitlines()]
                if not rows or any({"event", "properties"} - set(row) for row in rows):
                    raise CheckFailed("a line is not an event")
            elif operation_id == "list-warehouse-pipeline-jobs":
                declared = reader.operation["responses"]["200"]["content"]["application/json"]
                example = next(iter(declared["examples"]["example"]["value"].values()))[0]
                if set(body[good["project_id"]][0]) != set(example):
                    raise CheckFailed("the fields are not those of the example")
            elif len(body["results"]) != 1:
                raise CheckFailed("not one result")

        checks.run(f"{operation_id} has results", has_results)
        if form is not None:
            later = {**form, "page": "1"}
            checks.run(f"{operation_id} 400 for page 1 alone", lambda: reader.expect(400, good, later) and None)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sandbox", help="a file with what `dsr sandbox --json` printed")
    parser.add_argument("folder", help="the folder of gdpr.openapi.yaml and its neighbours")
    args = parser.parse_args()

    with open(args.sandbox, encoding="utf-8") as file:
        sandbox = json.load(file)["sandbox"]
    description = Description(f"{args.folder}/gdpr.openapi.yaml")
    server = Server(sandbox["api_url"], description, sandbox["token"], sandbox["project_token"])
    checks = Checks()
    check_reads(checks, sandbox, args.folder)
    check_writes(checks, sandbox, args.folder)
    check_refusals(checks, server)
    check_tasks(checks, server)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
