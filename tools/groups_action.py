"""Plan a file of groups on a pull or merge request, and apply that plan when it is merged.

`action.yml` runs it on GitHub and `ci/gitlab.yml` on GitLab; docs/ci.md describes it. Settings are
variables of the environment, for nothing of a repository may become part of a script:

    GROUPS_FILE      the file of groups
    GROUPS_FOLDER    where to write the plan and the journal
    GROUPS_TOKEN     the token that reads the repository's requests, and comments on them
    GROUPS_MAX_WAIT  how long to wait for the quota to be renewed; 15m if empty
    GROUPS_PUBLIC    "true": whoever reads the repository may know the members of the groups

On GitHub, the output `name` stands for the account and the file, and is part of the names of what
is kept: one workflow may use the action for several.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import httpx
from attrs import frozen

# What GitHub takes as a comment is 65,536 characters; a plan that is longer is cut off in it.
_LONGEST = 65_000
_LARGEST = 64 * 2**20
_STALE = 4
Json = Any


class RefusedError(Exception):
    """Nothing may be planned or applied; the message says why, and what to do."""


class StaleError(RefusedError):
    """The plan that was reviewed does not fit the account any more."""


@frozen
class Reviewed:
    """A plan that was reviewed.

    Attributes:
        content: The plan, as it was saved.
        again: How to plan again.
    """

    content: bytes
    again: str


class Forge(Protocol):
    """Where the repository is."""

    @property
    def is_private(self) -> bool:
        """Whether only its members read the repository; where that is not known, it is not."""
        ...

    def comment(self, marker: str, text: str) -> None:
        """Replace the comment of the request that begins with the marker, or add it."""
        ...

    def only_text(self) -> AbstractContextManager[None]:
        """Have nothing that is printed in the block taken for an instruction to the forge."""
        ...

    def reviewed_plan(self) -> Reviewed:
        """Return the plan that this workflow made at the head of the request that was merged."""
        ...


@frozen
class GitHub:
    """GitHub, as a job of it sees it.

    Attributes:
        api: A client of its API.
        environment: The variables of the job.
        event: What has started the workflow.
    """

    api: httpx.Client
    environment: Mapping[str, str]
    event: Json

    @classmethod
    def open(cls, environment: Mapping[str, str]) -> GitHub:
        """Return the one that a job runs on."""
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text("utf-8"))
        headers = {"Authorization": f"Bearer {environment['GROUPS_TOKEN']}"}
        url = f"{environment['GITHUB_API_URL']}/repos/{environment['GITHUB_REPOSITORY']}/"
        return cls(_client(url, headers), environment, event)

    @property
    def is_private(self) -> bool:
        """Whether only its members read the repository."""
        visibility: str | None = self.event.get("repository", {}).get("visibility")
        return visibility == "private"

    def comment(self, marker: str, text: str) -> None:
        """Replace the bot's comment of the pull request that begins with the marker, or add it.

        Raises:
            RefusedError: For a pull request from a fork, which gets no secrets.
        """
        pull = self.event["pull_request"]
        if (pull["head"]["repo"] or {}).get("full_name") != self._repository:
            raise RefusedError("a pull request from a fork gets no secrets, and therefore no plan")
        comments = f"issues/{pull['number']}/comments"
        found = (
            each["id"]
            for each in _pages(self.api, comments)
            if (each["user"] or {}).get("type") == "Bot"  # nobody, where the author is gone
            and (each["body"] or "").startswith(marker)
        )
        _write_comment(self.api, next(found, None), comments, "PATCH", "issues/comments", text)

    @contextmanager
    def only_text(self) -> Iterator[None]:
        """Have no line of the block taken for a command: a group may be called `::add-mask::`."""
        token = secrets.token_hex()
        print(f"::stop-commands::{token}", flush=True)
        try:
            yield
        finally:
            print(f"::{token}::", flush=True)

    def reviewed_plan(self) -> Reviewed:
        """Return the plan of the pull request whose merge into this branch is this commit."""
        commit = self.environment["GITHUB_SHA"]
        pull = _only(
            each
            for each in _pages(self.api, f"commits/{commit}/pulls")
            if each["merged_at"]
            and each["merge_commit_sha"] == commit
            and each["base"]["ref"] == self.environment["GITHUB_REF_NAME"]
        )
        head, number = pull["head"]["sha"], pull["number"]
        again = f"plan again: re-run the plan of #{number}, and then this job"
        workflow = self.environment["GITHUB_WORKFLOW_REF"].partition("@")[0]
        runs = "actions/runs"
        query = {"head_sha": head, "event": "pull_request", "status": "success"}
        ours = [
            run["id"]
            for run in _get(self.api, runs, **query, per_page="100")["workflow_runs"]
            if f"{self._repository}/{run['path'].partition('@')[0]}" == workflow
            and run["head_sha"] == head
            and (run["head_repository"] or {}).get("full_name") == self._repository
        ]
        if not ours:
            raise RefusedError(f"there is no plan of #{number} at {head}; {again}")
        artifact = f"groups-plan-{_name(self.environment)}"
        listed = _get(self.api, f"{runs}/{max(ours)}/artifacts", name=artifact)
        artifacts = [each["id"] for each in listed["artifacts"] if not each["expired"]]
        if not artifacts:
            raise RefusedError(f"the plan of #{number} at {head} is no longer kept; {again}")
        archive = _download(self.api, f"actions/artifacts/{max(artifacts)}/zip")
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            if files.getinfo("plan.json").file_size > _LARGEST:
                raise RefusedError(f"the plan of #{number} is too large")
            return Reviewed(files.read("plan.json"), again)

    @property
    def _repository(self) -> str:
        return self.environment["GITHUB_REPOSITORY"]


@frozen
class GitLab:
    """GitLab, as a job of it sees it."""

    api: httpx.Client
    environment: Mapping[str, str]

    @classmethod
    def open(cls, environment: Mapping[str, str]) -> GitLab:
        """Return the one that a job runs on."""
        url = f"{environment['CI_API_V4_URL']}/projects/{environment['CI_PROJECT_ID']}/"
        return cls(_client(url, {"PRIVATE-TOKEN": environment["GROUPS_TOKEN"]}), environment)

    @property
    def is_private(self) -> bool:
        """Whether only its members read the project."""
        return self.environment.get("CI_PROJECT_VISIBILITY") == "private"

    def comment(self, marker: str, text: str) -> None:
        """Replace the token's note of the merge request that begins with the marker, or add it."""
        notes = f"merge_requests/{self.environment['CI_MERGE_REQUEST_IID']}/notes"
        me = _get(self.api, f"{self.environment['CI_API_V4_URL']}/user")["id"]
        found = (
            each["id"]
            for each in _pages(self.api, notes)
            if each["author"]["id"] == me and each["body"].startswith(marker)
        )
        _write_comment(self.api, next(found, None), notes, "PUT", notes, text)

    def only_text(self) -> AbstractContextManager[None]:
        """Do nothing: GitLab takes no line for a command."""
        return nullcontext()

    def reviewed_plan(self) -> Reviewed:
        """Return the plan of the merge request whose merge into this branch is this commit."""
        commit = self.environment["CI_COMMIT_SHA"]
        merged = _only(
            each
            for each in _pages(self.api, f"repository/commits/{commit}/merge_requests")
            if each["state"] == "merged"
            and each["target_branch"] == self.environment["CI_COMMIT_BRANCH"]
            and commit in (each["merge_commit_sha"], each["squash_commit_sha"], each["sha"])
        )
        head, number = merged["sha"], merged["iid"]
        again = f"plan again: re-run groups-plan of !{number}, and then this job"
        pipelines = [
            each["id"]
            for each in _pages(self.api, f"merge_requests/{number}/pipelines")
            if each["sha"] == head and str(each["project_id"]) == self.environment["CI_PROJECT_ID"]
        ]
        if not pipelines:
            raise RefusedError(f"there is no plan of !{number} at {head}; {again}")
        # Of a job that was run again, only the newest is listed.
        jobs = [
            each["id"]
            for each in _pages(self.api, f"pipelines/{max(pipelines)}/jobs")
            if each["name"] == "groups-plan" and each["status"] == "success"
        ]
        if not jobs:
            raise RefusedError(f"there is no plan of !{number} at {head}; {again}")
        content = _download(self.api, f"jobs/{max(jobs)}/artifacts/groups/plan.json")
        return Reviewed(content, again)


def _client(url: str, headers: Mapping[str, str]) -> httpx.Client:
    # httpx sends the token to no other origin that a download is redirected to.
    return httpx.Client(base_url=url, headers=headers, timeout=30, follow_redirects=True)


def _get(api: httpx.Client, path: str, **query: str) -> Json:
    return _checked(api.get(path, params=query)).json()


def _download(api: httpx.Client, path: str) -> bytes:
    return _checked(api.get(path)).content


def _pages(api: httpx.Client, path: str) -> Iterator[Json]:
    url: str | None = f"{path}?per_page=100"
    while url:
        response = _checked(api.get(url))
        yield from response.json()
        url = response.links.get("next", {}).get("url")


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    request = f"{response.request.method} {response.request.url.path}"
    raise RefusedError(f"{request} responded {response.status_code}: may the token do that?")


def _write_comment(
    api: httpx.Client, found: object, comments: str, method: str, edit: str, text: str
) -> None:
    body = {"body": text}
    if found is None:
        _checked(api.post(comments, json=body))
    else:
        _checked(api.request(method, f"{edit}/{found}", json=body))


def _only(merged: Iterator[Json]) -> Json:
    found = list(merged)
    if len(found) != 1:
        raise RefusedError(
            f"{len(found)} requests have been merged as this commit: no plan was reviewed for it, "
            "so nothing is applied; a nightly run makes the account match the file"
        )
    return found[0]


def plan(forge: Forge, environment: Mapping[str, str]) -> int:
    """Plan the file, comment with the plan, and keep it; return the exit code of the plan."""
    file, folder = environment["GROUPS_FILE"], Path(environment["GROUPS_FOLDER"])
    shows_members = forge.is_private or environment.get("GROUPS_PUBLIC") == "true"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "plan.json"
    path.unlink(missing_ok=True)
    options = ("--out", str(path), "--format", "markdown", "--quiet")
    done = _run(environment, "plan", *options, "--", file, capture_output=True)
    saved: Json = json.loads(path.read_text("utf-8")) if path.exists() else None
    about = re.sub("[^A-Za-z0-9._/-]", "-", file)
    marker = f"<!-- cld-user-groups: {about} {_name(environment)} -->"
    text = _shown(done) if shows_members else _counted(done.returncode, saved)
    text = f"{marker}\n{text}"
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}\n\n(The rest is in the artifact `groups-plan`.)"
    forge.comment(marker, text)
    if not shows_members or done.returncode:
        path.unlink(missing_ok=True)
    return done.returncode


def _shown(done: subprocess.CompletedProcess[str]) -> str:
    """Return the plan as Markdown, and after it what was wrong, as it stands."""
    if not done.stderr:
        return done.stdout
    longest = max(map(len, re.findall("`+", done.stderr)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{done.stdout}\n{fence}text\n{done.stderr.rstrip()}\n{fence}\n"


def _counted(code: int, saved: Json) -> str:
    """Return what anybody may know of a plan: no names, no e-mails, no IDs."""
    lines = ["# Plan of the user groups"]
    if saved is not None:
        counts = Counter(change["action"] for change in saved["changes"])
        lines += [f"- {action}: {number}" for action, number in sorted(counts.items())]
        lines += [] if counts else ["The account matches the file."]
    if code:
        lines.append(f"The plan failed with exit code {code}: `cld-user-groups plan` shows why.")
    lines.append("The repository is not private, so the members of the groups are not shown here.")
    return "\n\n".join(lines) + "\n"


def apply(forge: Forge, environment: Mapping[str, str]) -> int:
    """Apply the plan that was reviewed; return the exit code of the run."""
    if not forge.is_private and environment.get("GROUPS_PUBLIC") != "true":
        raise RefusedError(
            "the repository is not private: its artifacts and logs would show the members of the "
            "groups; if everybody may know them, set public: true"
        )
    folder = Path(environment["GROUPS_FOLDER"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "reviewed.json"
    reviewed = forge.reviewed_plan()
    path.write_bytes(reviewed.content)
    state = {"XDG_STATE_HOME": str(folder / "journal")}
    wait = environment.get("GROUPS_MAX_WAIT") or "15m"
    options = ("--yes", "--max-wait", wait, "--log-format", "json")
    with forge.only_text():
        code = _run({**environment, **state}, "apply", *options, "--", str(path)).returncode
    if code == _STALE:
        raise StaleError(
            f"the plan that was reviewed is stale, nothing was written; {reviewed.again}"
        )
    return code


def _name(environment: Mapping[str, str]) -> str:
    """Return a name for an account and a file, which tells a stranger neither."""
    account = environment.get("CLOUDINARY_ACCOUNT_URL", "").rpartition("@")[2]
    return hashlib.sha256(f"{account}\n{environment['GROUPS_FILE']}".encode()).hexdigest()[:12]


def _run(
    environment: Mapping[str, str], *arguments: str, capture_output: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the command, which gets no token of the forge."""
    return subprocess.run(
        [sys.executable, "-m", "cld_user_groups", *arguments],
        env={name: value for name, value in environment.items() if name != "GROUPS_TOKEN"},
        stdin=subprocess.DEVNULL,
        capture_output=capture_output,
        text=True,
        encoding="utf-8",
        check=False,
    )


def main(environment: Mapping[str, str], what: str) -> int:
    """Plan or apply, and return the exit code.

    Args:
        environment: The variables of the job.
        what: "plan" or "apply".
    """
    forge: Forge = (
        GitLab.open(environment) if environment.get("GITLAB_CI") else GitHub.open(environment)
    )
    if isinstance(forge, GitHub):
        name = _name(environment)
        with Path(environment["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
            file.write(f"name={name}\n")
        environment = {**environment, "GROUPS_FOLDER": f"{environment['GROUPS_FOLDER']}/{name}"}
    try:
        return {"plan": plan, "apply": apply}[what](forge, environment)
    except RefusedError as error:
        print(f"::error::{error}" if isinstance(forge, GitHub) else f"Error: {error}")
        return _STALE if isinstance(error, StaleError) else 1


if __name__ == "__main__":
    sys.exit(main(os.environ, sys.argv[1]))
