"""Runs the steps of GitHub's workflows and actions, with stand-ins for programs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from attrs import define, field

_EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


def load(path: Path) -> dict[str, Any]:
    """Return a workflow, whose `on` YAML takes for a boolean."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


def evaluated(text: object, context: Mapping[str, str]) -> str:
    """Return a value with its expressions replaced by those of the context."""
    return _EXPRESSION.sub(lambda match: context[match[1]], str(text))


def finished(
    *command: str, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with nothing else in its environment and nothing to read."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@define
class Runner:
    """A machine that runs steps in a folder.

    Attributes:
        folder: The checkout; `programs` in it comes first on the path, and `calls` lists the calls
            of the stand-ins.
        context: What expressions are, and the variables that GitHub sets, in capitals.
        output: The outputs of all steps.
        artifacts: The files of each artifact that was uploaded, by their names.
    """

    folder: Path
    context: dict[str, str]
    output: dict[str, str] = field(factory=dict[str, str])
    artifacts: dict[str, dict[str, bytes]] = field(factory=dict[str, dict[str, bytes]])

    def stand_in(self, name: str, script: str = "") -> None:
        """Install a program that notes how it was called, and then runs a script."""
        path = self.folder / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.folder}/calls"\n{script}\n')
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """The calls of the stand-ins, in order."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def run(self, steps: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
        """Run the steps; return the script that failed, or the last."""
        done = subprocess.CompletedProcess[str]("", 0, "", "")
        for step in steps:
            if not self._applies(step.get("if", ""), has_failed=bool(done.returncode)):
                continue
            if "run" in step:
                done = self.script(step["run"], step.get("env", {}))
                for name, value in _outputs((self.folder / "outputs").read_text()).items():
                    self.context[f"steps.{step.get('id')}.outputs.{name}"] = value
            elif step["uses"].startswith("actions/upload-artifact@"):
                self._upload(**step["with"])
        return done

    def _applies(self, condition: str, *, has_failed: bool) -> bool:
        conditions = [each for each in condition.split(" && ") if each]
        if "always()" not in conditions and has_failed:
            return False
        return all(self._holds(each) for each in conditions if each != "always()")

    def _holds(self, condition: str) -> bool:
        name, operator, value = condition.split(" ")
        return (self.context[name] == value.strip("'")) is (operator == "==")

    def _upload(self, name: str, path: str, **_: object) -> None:
        source = Path(evaluated(path, self.context))
        files = [source] if source.is_file() else sorted(source.rglob("*"))
        kept = {each.name: each.read_bytes() for each in files if each.is_file()}
        if kept:
            self.artifacts[evaluated(name, self.context)] = kept

    def script(self, text: str, given: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
        """Run a script with variables, whose values may have expressions."""
        outputs = self.folder / "outputs"
        outputs.write_text("")
        variables = {key: value for key, value in self.context.items() if key.isupper()}
        variables |= {key: evaluated(value, self.context) for key, value in given.items()}
        variables |= {
            "PATH": f"{self.folder / 'programs'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
        }
        shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text)
        done = finished(*shell, folder=self.folder, environment=variables)
        self.output |= _outputs(outputs.read_text())
        return done


def _outputs(text: str) -> dict[str, str]:
    """Return the outputs of a step: NAME=VALUE, or NAME<<END, lines, END."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, separator, end = line.partition("<<")
        if separator and "=" not in name:
            value: list[str] = []
            for each in lines:
                if each == end:
                    break
                value.append(each)
            found[name] = "\n".join(value)
        else:
            name, _, found[line.partition("=")[0]] = line.partition("=")
    return found
