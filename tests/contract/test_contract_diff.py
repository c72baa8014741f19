"""What a change of a description is said to mean, and what it asks of the changelog."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import documents, scripts

contract_diff = scripts.load("contract_diff")
changes = contract_diff.changes

SMALL = """
openapi: 3.0.3
info: {title: Small, version: 1.0.0}
servers:
  - url: https://{region}.example.com
    variables:
      region: {default: eu, enum: [eu, us]}
security: [{key: []}]
paths:
  /things/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string, minLength: 1}}
    put:
      operationId: putThing
      description: Puts a thing.
      tags: [things]
      parameters:
        - {name: dry, in: query, schema: {type: boolean}}
        - {name: why, in: query, required: true, schema: {type: string, enum: [work, play]}}
      requestBody: {$ref: '#/components/requestBodies/Thing'}
      responses:
        '200':
          description: The thing.
          headers:
            X-Count: {schema: {type: integer}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
        '404':
          description: None such.
    get:
      operationId: getThing
      tags: [things]
      responses:
        '200':
          description: The thing, or its owner.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Either'}
components:
  securitySchemes:
    key: {type: http, scheme: basic}
  requestBodies:
    Thing:
      required: true
      content:
        application/json:
          schema: {$ref: '#/components/schemas/ThingRequest'}
  schemas:
    Thing:
      type: object
      required: [id]
      properties:
        id: {type: string}
        size: {type: string, enum: [s, m, l]}
        made_at: {type: string, format: date-time}
        owner: {$ref: '#/components/schemas/Owner'}
        parts: {type: array, items: {$ref: '#/components/schemas/Thing'}}
    Owner:
      type: object
      properties:
        name: {type: string, description: A name.}
    ThingRequest:
      type: object
      required: [name]
      properties:
        name: {type: string, minLength: 1, maxLength: 10}
        size: {type: string, enum: [s, m, l]}
        note: {type: string}
    Either:
      anyOf:
        - {$ref: '#/components/schemas/Thing'}
        - {$ref: '#/components/schemas/Owner'}
"""

Document = dict[str, Any]


def small() -> Document:
    return yaml.safe_load(SMALL)


def put(document: Document) -> Document:
    return document["paths"]["/things/{id}"]["put"]


def parameters(document: Document) -> list[Document]:
    return put(document)["parameters"]


def schemas(document: Document) -> Document:
    return document["components"]["schemas"]


def fields(document: Document, schema: str) -> Document:
    return schemas(document)[schema]["properties"]


def rename(holder: Document, old: str, new: str) -> None:
    holder[new] = holder.pop(old)


PUT, GET = "putThing", "getThing"

# A change, and all that is said about it: kind, operation, text.
CHANGES: dict[str, tuple[Callable[[Document], Any], list[tuple[str, str, str]]]] = {
    "a field of an answer is renamed": (
        lambda new: rename(fields(new, "Owner"), "name", "title"),
        [
            ("breaking", PUT, "answer 200 $.owner.name: removed"),
            ("additive", PUT, "answer 200 $.owner.title: added"),
            ("breaking", GET, "answer 200 $.owner.name: removed"),
            ("additive", GET, "answer 200 $.owner.title: added"),
            ("breaking", GET, "answer 200 $.name: removed"),
            ("additive", GET, "answer 200 $.title: added"),
        ],
    ),
    "a field of a request is renamed": (
        lambda new: rename(fields(new, "ThingRequest"), "note", "remark"),
        [
            ("breaking", PUT, "request $.note: removed"),
            ("additive", PUT, "request $.remark: added"),
        ],
    ),
    "the type of a field changes": (
        lambda new: fields(new, "Thing").update(id={"type": "integer"}),
        [
            ("breaking", PUT, "answer 200 $.id: type: string became integer"),
            ("breaking", GET, "answer 200 $.id: type: string became integer"),
        ],
    ),
    "the format of a field changes": (
        lambda new: fields(new, "Thing")["made_at"].pop("format"),
        [
            ("breaking", PUT, "answer 200 $.made_at: format: date-time became None"),
            ("breaking", GET, "answer 200 $.made_at: format: date-time became None"),
        ],
    ),
    "a status is removed": (
        lambda new: put(new)["responses"].pop("404"),
        [("breaking", PUT, "answer 404: removed")],
    ),
    "a status is added": (
        lambda new: put(new)["responses"].update({"409": {"description": "Taken."}}),
        [("additive", PUT, "answer 409: added")],
    ),
    "a parameter becomes required": (
        lambda new: parameters(new)[0].update(required=True),
        [("breaking", PUT, "query dry: became required")],
    ),
    "a parameter becomes optional": (
        lambda new: parameters(new)[1].pop("required"),
        [("additive", PUT, "query why: became optional")],
    ),
    "a required parameter is added": (
        lambda new: parameters(new).append(
            {"name": "who", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
        [("breaking", PUT, "query who: added and is required")],
    ),
    "an optional parameter is added": (
        lambda new: parameters(new).append(
            {"name": "who", "in": "query", "schema": {"type": "string"}}
        ),
        [("additive", PUT, "query who: added")],
    ),
    "a parameter is removed": (
        lambda new: parameters(new).pop(0),
        [("breaking", PUT, "query dry: removed")],
    ),
    "a parameter is sent in another way": (
        lambda new: parameters(new)[0].update(style="deepObject"),
        [("breaking", PUT, "query dry: style: changed, to be judged by hand")],
    ),
    "an optional field of a request is added": (
        lambda new: fields(new, "ThingRequest").update(colour={"type": "string"}),
        [("additive", PUT, "request $.colour: added")],
    ),
    "a required field of a request is added": (
        lambda new: (
            fields(new, "ThingRequest").update(colour={"type": "string"}),
            schemas(new)["ThingRequest"]["required"].append("colour"),
        ),
        [("breaking", PUT, "request $.colour: added and is required")],
    ),
    "a field of a request becomes required": (
        lambda new: schemas(new)["ThingRequest"]["required"].append("note"),
        [("breaking", PUT, "request $.note: became required")],
    ),
    "a field of an answer becomes optional": (
        lambda new: schemas(new)["Thing"].pop("required"),
        [
            ("breaking", PUT, "answer 200 $.id: became optional"),
            ("breaking", GET, "answer 200 $.id: became optional"),
        ],
    ),
    "a field of an answer becomes required": (
        lambda new: schemas(new)["Owner"].update(required=["name"]),
        [
            ("additive", PUT, "answer 200 $.owner.name: became required"),
            ("additive", GET, "answer 200 $.owner.name: became required"),
            ("additive", GET, "answer 200 $.name: became required"),
        ],
    ),
    "an operation is added": (
        lambda new: new["paths"]["/things/{id}"].update(
            delete={"operationId": "deleteThing", "responses": {"200": {"description": "Done."}}}
        ),
        [("additive", "deleteThing", "added")],
    ),
    "an operation is removed": (
        lambda new: new["paths"]["/things/{id}"].pop("put"),
        [("breaking", PUT, "removed")],
    ),
    "a path changes": (
        lambda new: rename(new["paths"], "/things/{id}", "/objects/{id}"),
        [
            ("breaking", PUT, "path: /things/{id} became /objects/{id}"),
            ("breaking", GET, "path: /things/{id} became /objects/{id}"),
        ],
    ),
    "a method changes": (
        lambda new: rename(new["paths"]["/things/{id}"], "put", "patch"),
        [("breaking", PUT, "method: PUT became PATCH")],
    ),
    "a tag, and with it a package, changes": (
        lambda new: put(new).update(tags=["objects"]),
        [("breaking", PUT, "tag: things became objects")],
    ),
    "a description changes": (
        lambda new: fields(new, "Owner")["name"].update(description="The name."),
        [
            ("cosmetic", PUT, "answer 200 $.owner.name: description: changed"),
            ("cosmetic", GET, "answer 200 $.owner.name: description: changed"),
            ("cosmetic", GET, "answer 200 $.name: description: changed"),
        ],
    ),
    "an operation's description changes": (
        lambda new: put(new).update(description="Puts a thing somewhere."),
        [("cosmetic", PUT, "description: changed")],
    ),
    "the description's version changes": (
        lambda new: new["info"].update(version="1.1.0"),
        [("cosmetic", "(description)", "info: changed")],
    ),
    "an unused schema is added": (
        lambda new: schemas(new).update(Unused={"type": "string"}),
        [("cosmetic", "(description)", "changed in what no operation uses")],
    ),
    "the security of all operations changes": (
        lambda new: new["components"]["securitySchemes"]["key"].update(scheme="bearer"),
        [("breaking", PUT, "security: changed"), ("breaking", GET, "security: changed")],
    ),
    "the security of one operation is removed": (
        lambda new: put(new).update(security=[]),
        [("breaking", PUT, "security: changed")],
    ),
    "another way to be authenticated is added": (
        lambda new: put(new).update(security=[{"key": []}, {}]),
        [("additive", PUT, "security: changed")],
    ),
    "a security scheme is only called something else": (
        lambda new: (
            rename(new["components"]["securitySchemes"], "key", "password"),
            new.update(security=[{"password": []}]),
        ),
        [("cosmetic", "(description)", "changed in what no operation uses")],
    ),
    "an enum of a request is narrowed": (
        lambda new: fields(new, "ThingRequest")["size"]["enum"].remove("m"),
        [("breaking", PUT, "request $.size: enum: without m")],
    ),
    "an enum of a request is widened": (
        lambda new: fields(new, "ThingRequest")["size"]["enum"].append("xl"),
        [("additive", PUT, "request $.size: enum: with xl")],
    ),
    "an enum of an answer is widened": (
        lambda new: fields(new, "Thing")["size"]["enum"].append("xl"),
        [
            ("breaking", PUT, "answer 200 $.size: enum: with xl"),
            ("breaking", GET, "answer 200 $.size: enum: with xl"),
        ],
    ),
    "an enum of an answer is narrowed": (
        lambda new: fields(new, "Thing")["size"]["enum"].remove("m"),
        [
            ("additive", PUT, "answer 200 $.size: enum: without m"),
            ("additive", GET, "answer 200 $.size: enum: without m"),
        ],
    ),
    "an enum is taken away": (
        lambda new: parameters(new)[1]["schema"].pop("enum"),
        [("additive", PUT, "query why: enum: any value now")],
    ),
    "an enum comes": (
        lambda new: parameters(new)[0]["schema"].update(enum=[True]),
        [("breaking", PUT, "query dry: enum: only True now")],
    ),
    "a limit of a request is tightened": (
        lambda new: fields(new, "ThingRequest")["name"].update(minLength=2, maxLength=9),
        [
            ("breaking", PUT, "request $.name: minLength: 1 became 2"),
            ("breaking", PUT, "request $.name: maxLength: 10 became 9"),
        ],
    ),
    "a limit of a request is loosened": (
        lambda new: (
            fields(new, "ThingRequest")["name"].pop("minLength"),
            fields(new, "ThingRequest")["name"].update(maxLength=11),
        ),
        [
            ("additive", PUT, "request $.name: minLength: 1 became None"),
            ("additive", PUT, "request $.name: maxLength: 10 became 11"),
        ],
    ),
    "a pattern of a request comes": (
        lambda new: fields(new, "ThingRequest")["name"].update(pattern="a"),
        [("breaking", PUT, "request $.name: pattern: None became a")],
    ),
    "a field of an answer can be null": (
        lambda new: fields(new, "Owner")["name"].update(nullable=True),
        [
            ("breaking", PUT, "answer 200 $.owner.name: can be null"),
            ("breaking", GET, "answer 200 $.owner.name: can be null"),
            ("breaking", GET, "answer 200 $.name: can be null"),
        ],
    ),
    "an answer can have another shape": (
        lambda new: schemas(new)["Either"]["anyOf"].append(
            {"$ref": "#/components/schemas/ThingRequest"}
        ),
        [("breaking", GET, "answer 200 $: can be ThingRequest")],
    ),
    "an answer has one shape less": (
        lambda new: schemas(new)["Either"]["anyOf"].pop(),
        [("additive", GET, "answer 200 $: can no longer be Owner")],
    ),
    "the items of a list change": (
        lambda new: fields(new, "Thing").update(
            parts={"type": "array", "items": {"type": "string"}}
        ),
        [
            ("breaking", PUT, "answer 200 $.parts[]: type: object became string"),
            ("breaking", PUT, "answer 200 $.parts[].id: removed"),
            ("breaking", PUT, "answer 200 $.parts[].size: removed"),
            ("breaking", PUT, "answer 200 $.parts[].made_at: removed"),
            ("breaking", PUT, "answer 200 $.parts[].owner: removed"),
            ("breaking", PUT, "answer 200 $.parts[].parts: removed"),
            ("breaking", GET, "answer 200 $.parts[]: type: object became string"),
            ("breaking", GET, "answer 200 $.parts[].id: removed"),
            ("breaking", GET, "answer 200 $.parts[].size: removed"),
            ("breaking", GET, "answer 200 $.parts[].made_at: removed"),
            ("breaking", GET, "answer 200 $.parts[].owner: removed"),
            ("breaking", GET, "answer 200 $.parts[].parts: removed"),
        ],
    ),
    "a body is no longer required": (
        lambda new: new["components"]["requestBodies"]["Thing"].pop("required"),
        [("additive", PUT, "request: the body became optional")],
    ),
    "a body is removed": (
        lambda new: put(new).pop("requestBody"),
        [("breaking", PUT, "request: the body was removed")],
    ),
    "the media type of an answer changes": (
        lambda new: rename(
            put(new)["responses"]["200"]["content"], "application/json", "application/xml"
        ),
        [
            ("breaking", PUT, "answer 200: application/json: removed"),
            ("additive", PUT, "answer 200: application/xml: added"),
        ],
    ),
    "a header of an answer is removed": (
        lambda new: put(new)["responses"]["200"]["headers"].pop("X-Count"),
        [("breaking", PUT, "answer 200 header X-Count: removed")],
    ),
    "a server is removed": (
        lambda new: new.update(servers=[{"url": "https://example.com"}]),
        [
            ("breaking", PUT, "server https://{region}.example.com: removed"),
            ("additive", PUT, "server https://example.com: added"),
            ("breaking", GET, "server https://{region}.example.com: removed"),
            ("additive", GET, "server https://example.com: added"),
        ],
    ),
    "a region is removed and another is the default": (
        lambda new: new["servers"][0]["variables"]["region"].update(default="us", enum=["us"]),
        [
            ("breaking", PUT, "server https://{region}.example.com region: enum: without eu"),
            (
                "breaking",
                PUT,
                "server https://{region}.example.com region: default: changed, "
                "to be judged by hand",
            ),
            ("breaking", GET, "server https://{region}.example.com region: enum: without eu"),
            (
                "breaking",
                GET,
                "server https://{region}.example.com region: default: changed, "
                "to be judged by hand",
            ),
        ],
    ),
    "a keyword that no rule knows": (
        lambda new: schemas(new)["ThingRequest"].update(additionalProperties=False),
        [("breaking", PUT, "request $: additionalProperties: changed, to be judged by hand")],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_means(name: str):
    change, expected = CHANGES[name]
    new = documents.changed(small(), change)
    assert sorted(each[:3] for each in changes(small(), new)) == sorted(expected)


def test_nothing_changed_means_nothing():
    assert changes(small(), small()) == []


def test_the_description_of_this_project_can_be_compared(document: documents.Document):
    assert changes(document, document) == []
    removed = changes(document, documents.changed(document, lambda new: new.update(paths={})))
    assert [each.operation for each in removed] == list(documents.operations(document))


def test_a_change_in_a_schema_names_the_schema():
    new = documents.changed(small(), lambda new: fields(new, "Owner").pop("name"))
    assert {each.schema for each in changes(small(), new)} == {"Owner"}


UNTOLD = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [1.0.0]\n\n### Changed\n"


@pytest.mark.parametrize(
    "entry",
    [
        "### Changed\n\n- **Breaking:** `putThing` wants to know why.\n",
        "### Removed\n\n- Breaking: a thing has no `id` in `Thing`.\n",
        "### Changed\n\n- Another.\n- **Breaking**: much is new\n  in putThing.\n",
        "### Changed (breaking)\n\n- `Thing` has no id.\n",
    ],
)
def test_a_breaking_change_is_told_by_an_entry_that_names_it(entry: str):
    assert untold(entry) == []


@pytest.mark.parametrize(
    "entry",
    [
        "### Changed\n\n- **Breaking:** `getThing` wants to know why.\n",
        "### Changed\n\n- **Breaking:** `putThings` and `ThingRequest` are others.\n",
        "### Changed\n\n- `putThing` wants to know why.\n",
        "### Changed\n\n- `putThing` is not breaking.\n",
        "### Added\n\n- **Breaking:** `putThing` wants to know why.\n",
        "### Changed\n\n- **Breaking:** much.\n- `putThing` wants to know why.\n",
        "",
    ],
)
def test_a_breaking_change_is_not_told_by_anything_less(entry: str):
    assert untold(entry) == [PUT]


def untold(entry: str) -> list[str]:
    """Return the operations whose breaking change a changelog with this entry does not tell."""
    found = [contract_diff.Change(contract_diff.Kind.BREAKING, PUT, "it broke", "Thing")]
    told = UNTOLD.replace("### Added", f"{entry}\n### Added")
    return [each.operation for each in contract_diff.untold(found, UNTOLD, told)]


def test_an_entry_that_was_there_before_does_not_tell_of_a_new_change():
    found = [contract_diff.Change(contract_diff.Kind.BREAKING, PUT, "it broke", None)]
    told = UNTOLD.replace("### Added", "### Changed\n\n- **Breaking:** putThing\n\n### Added")
    assert contract_diff.untold(found, told, told) == found
    assert contract_diff.untold(found, UNTOLD, told) == []


def test_what_was_released_does_not_tell_of_a_new_change():
    found = [contract_diff.Change(contract_diff.Kind.BREAKING, PUT, "it broke", None)]
    released = f"{UNTOLD}\n- **Breaking:** putThing\n".replace("A thing", "Another thing")
    assert contract_diff.untold(found, UNTOLD, released) == found


class Project:
    """A project in a git repository of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=n@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True)

    def write(self, document: Document, changelog: str = UNTOLD) -> None:
        (self.root / "openapi.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        (self.root / "CHANGELOG.md").write_text(changelog)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A commit")

    def diff(self, base: str = "HEAD") -> tuple[int, str]:
        script = documents.ROOT / "tools" / "contract_diff.py"
        done = subprocess.run(
            [sys.executable, str(script), "--base", base, "--root", str(self.root)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write(small())
    made.commit()
    return made


def test_the_command_lists_the_changes_by_operation(project: Project):
    project.write(documents.changed(small(), lambda new: fields(new, "Owner").pop("name")))
    status, text = project.diff()
    assert status == 1
    assert text.startswith(
        "getThing\n"
        "  breaking  answer 200 $.owner.name: removed  (Owner)\n"
        "  breaking  answer 200 $.name: removed  (Owner)\n"
        "putThing\n"
        "  breaking  answer 200 $.owner.name: removed  (Owner)\n"
        "3 breaking, 0 additive, 0 cosmetic since HEAD\n"
    )
    assert "CHANGELOG.md does not tell users of a breaking change" in text
    assert "names getThing or Owner" in text


def test_the_command_is_content_when_the_changelog_tells_of_it(project: Project):
    told = UNTOLD.replace(
        "### Added", "### Removed\n\n- **Breaking:** `Owner` has no name.\n\n### Added"
    )
    project.write(documents.changed(small(), lambda new: fields(new, "Owner").pop("name")), told)
    assert project.diff()[0] == 0


@pytest.mark.parametrize("name", ["a status is added", "a description changes"])
def test_other_changes_need_no_entry(project: Project, name: str):
    project.write(documents.changed(small(), CHANGES[name][0]))
    assert project.diff()[0] == 0


def test_no_change_is_said_to_be_none(project: Project):
    assert project.diff() == (0, "openapi.yaml has not changed since HEAD\n")


def test_a_change_of_layout_is_said_to_be_one(project: Project):
    path = project.root / "openapi.yaml"
    path.write_text(f"# A comment\n{path.read_text()}")
    assert project.diff() == (
        0,
        "openapi.yaml has changed in comments and layout only since HEAD\n",
    )


def test_a_base_without_a_description_is_said_to_be_one(tmp_path: Path):
    project = Project(tmp_path)
    project.commit()
    project.write(small())
    assert project.diff() == (
        0,
        "contract-diff: nothing to compare with: openapi.yaml did not exist at HEAD\n",
    )


def test_a_ref_that_is_not_there_is_named(project: Project):
    assert project.diff("nowhere") == (
        2,
        "contract-diff: nowhere is no commit of this repository\n",
    )


def test_a_clone_that_does_not_reach_back_to_the_ref_is_said_to_be_one(
    project: Project, tmp_path_factory: pytest.TempPathFactory
):
    project.commit()
    shallow = tmp_path_factory.mktemp("shallow")
    project.git("clone", "--quiet", "--depth=1", f"file://{project.root}", str(shallow))
    copied = Project.__new__(Project)
    copied.root = shallow
    assert copied.diff("HEAD~1") == (
        0,
        "contract-diff: nothing to compare with: this clone is shallow and does not have HEAD~1; "
        "fetch more of it\n",
    )
