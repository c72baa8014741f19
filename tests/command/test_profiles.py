"""Profiles: several accounts by name, in a file that holds no secrets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from cld_user_groups.command import profiles as profiles_module
from cld_user_groups.command.profiles import ProfileError, load_profile, profiles_file

from .shell import Shell

SECRET = "s3cret-Value"
ACC = "[work]\naccount_id = 'acc'\n"
PRINTS = [sys.executable, "-c", "print('k:s')"]


@pytest.fixture
def profiles(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the profiles; the environment has the server, and no credentials."""
    monkeypatch.delenv("CLOUDINARY_ACCOUNT_URL")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(shell.folder / "config"))
    path = shell.folder / "config" / "cld-user-groups" / "profiles.toml"
    path.parent.mkdir(parents=True)
    return path


def profile(credentials: str = "", account_id: str = "acc") -> str:
    return f'[work]\naccount_id = "{account_id}"\n{credentials}\n'


def command(arguments: list[str]) -> str:
    return f"credentials.command = {arguments}"


FROM_ENVIRONMENT = profile("credentials.environment = { key = 'WORK_KEY', secret = 'WORK_SECRET' }")


def test_a_profile_takes_its_credentials_from_the_variables_that_it_names(
    shell, profiles, monkeypatch
):
    profiles.write_text(FROM_ENVIRONMENT)
    shell("export --profile work", code=1, err="set WORK_KEY and WORK_SECRET", calls=0)
    monkeypatch.setenv("WORK_KEY", "k")
    monkeypatch.setenv("WORK_SECRET", "s")
    shell("--profile work export", code=0)


def test_a_profile_takes_its_credentials_from_a_command_that_is_run_once(shell, profiles):
    program = "open('runs', 'a').write('.'); print('k:s')"
    profiles.write_text(profile(command([sys.executable, "-c", program])))
    path = shell.write(
        "version: 1\ngroups: {Designers: {mode: additive, members: [maria@example.com]}}"
    )
    shell(f"apply {path} --yes --profile work", code=0)
    assert len(shell.emulator.calls) == 4  # the account, the e-mail, the change, the account
    assert Path("runs").read_text() == "."


def test_a_command_that_needs_no_request_fetches_no_credentials(shell, profiles):
    profiles.write_text(profile(command(["there-is-no-such-program"])))
    shell("runs --profile work", code=0)


def test_the_command_does_not_read_a_file_of_groups_on_standard_input(shell, profiles):
    program = "import sys; sys.stdin.read(); print('k:s')"
    profiles.write_text(profile(command([sys.executable, "-c", program])))
    exported = shell("export --profile work").stdout
    shell("plan - --profile work", stdin=exported, out="Nothing to do")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([sys.executable, "-c", f"print('{SECRET}'); raise SystemExit(3)"], "exited with 3"),
        ([sys.executable, "-c", f"print('{SECRET}')"], "does not print KEY:SECRET"),
        ([sys.executable, "-c", f"print('k:{SECRET}\\nmore')"], "does not print KEY:SECRET"),
        ([sys.executable, "-c", f"import sys; sys.exit('{SECRET}')"], "exited with 1"),
        ([sys.executable, "-c", "import os; os.write(1, b'k:\\xff')"], "does not print"),
        (["there-is-no-such-program"], "No such file"),
    ],
)
def test_a_command_that_fails_is_named_and_its_output_never_shown(shell, profiles, arguments, said):
    profiles.write_text(profile(command(arguments)))
    done = shell("export --profile work --debug", code=1, err=said)
    assert f"Error: the command {arguments[0]!r}" in done.stderr
    assert SECRET not in done.output
    assert len(shell.emulator.calls) == 0


def test_a_command_that_takes_too_long_is_ended(shell, profiles, monkeypatch):
    monkeypatch.setattr(profiles_module, "TIME_LIMIT", 0.1)
    profiles.write_text(profile(command([sys.executable, "-c", "import time; time.sleep(30)"])))
    shell("export --profile work", code=1, err="took longer than")


def test_a_command_may_print_an_account_url(shell, profiles):
    program = "print('account://k:s@acc')"
    profiles.write_text(profile(command([sys.executable, "-c", program])))
    shell("export --profile work", code=0)


class Backend(KeyringBackend):
    """A keyring in memory, instead of a desktop's."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise RuntimeError(SECRET)
        return self.entries.get((service, username))


@pytest.fixture
def _keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(Backend())
    keyring.set_password("cloudinary", "acc", "k:s")
    keyring.set_password("bad", "acc", SECRET)
    yield
    keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("cloudinary", None),
        ("other", "has no entry 'acc'"),
        ("bad", "does not hold KEY:SECRET"),
        ("locked", "cannot be read (RuntimeError)"),
    ],
)
@pytest.mark.usefixtures("_keyring")
def test_a_profile_takes_its_credentials_from_the_keyring(shell, profiles, service, said):
    profiles.write_text(profile(f'credentials.keyring = "{service}"'))
    done = shell("export --profile work", code=1 if said else 0)
    if said:
        assert said in done.stderr
        assert f"keyring set {service} acc" in done.stderr
    assert SECRET not in done.output


def test_without_the_package_keyring_the_extra_is_named(shell, profiles, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    profiles.write_text(profile('credentials.keyring = "cloudinary"'))
    shell("export --profile work", code=1, err='pip install "./cld-user-groups[keyring]"')


def test_the_environment_chooses_a_profile_and_an_option_another(shell, profiles, monkeypatch):
    work, other = profile(command(PRINTS)), profile(command(PRINTS), account_id="elsewhere")
    profiles.write_text(work + other.replace("work", "other"))
    monkeypatch.setenv("CLOUDINARY_PROFILE", "other")
    assert shell.json("runs")["account"] == "elsewhere"
    assert shell.json("runs --profile work")["account"] == "acc"
    assert shell.json("--profile work runs")["account"] == "acc"
    assert shell.json("runs --account-id third")["account"] == "third"


def test_an_option_takes_the_place_of_the_server_of_a_profile(shell, profiles):
    server = os.environ["CLOUDINARY_PROVISIONING_SERVER_URL"]
    profiles.write_text(profile('region = "api-eu"\n' + command(PRINTS)))
    shell("export --profile work --server-url", server, code=0)
    profiles.write_text(profile(f'server_url = "{server}"\n' + command(PRINTS)))
    shell("export --profile work", code=0)
    shell("export --profile work --server-url http://127.0.0.1:1", err="no response from 127.0.0.1")


def test_a_profile_without_credentials_uses_those_of_the_environment(shell, profiles, monkeypatch):
    profiles.write_text(profile())
    said = "there are no credentials: profile 'work' does not say where"
    for line in ("export --profile work", "list --profile work"):
        done = shell(line, code=1, err=(said, "CLOUDINARY_PROVISIONING_API_KEY"))
        assert "Security(" not in done.stderr
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://k:s@another")
    shell("export --profile work", code=0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{ACC}api_secret = '{SECRET}'", "'api_secret' looks like a secret"),
        (f"{ACC}API-Key = '{SECRET}'", "'API-Key' looks like a secret"),
        (f"{ACC}[other]\npassword = '{SECRET}'", "profile 'other'"),
        (f"api_secret = '{SECRET}'\n{ACC}", "No secret belongs"),
        (f"{ACC}credentials = '{SECRET}'", "No secret belongs"),
        (f"{ACC}credentials.secret = '{SECRET}'", "looks like a secret"),
        (f"[work]\naccount_id = 'account://k:{SECRET}@acc'", "account_id holds credentials"),
        (f"{ACC}server_url = 'https://k:{SECRET}@h'", "holds credentials"),
        (f"{ACC}credentials.environment = {{key='K', secret='{SECRET}'}}",
         "credentials.environment.secret must be the name of a variable"),
        (f"{ACC}credentials.environment = {{key='K'}}", "name two variables"),
        (f"{ACC}credentials.command = 'pass show'", "a list of texts"),
        (f"{ACC}credentials.command = []", "a list of texts"),
        (f"{ACC}credentials.command = ['pass', 1]", "a list of texts"),
        (f"{ACC}credentials.keyring = 1", "the name of a service"),
        (f"{ACC}credentials = {{}}", "give one of environment"),
        (f"{ACC}credentials = {{keyring = 'a', command = ['b']}}", "give one of environment"),
        ("[work]\nregion = 'api'", "account_id is missing"),
        ("[work]\naccount_id = ' '", "account_id must be a text"),
        ("[work]\naccount_id = 'acc'\nregion = 'mars'", "region must be one of"),
        ("[work]\naccount_id = 'acc'\nregion = 'api'\nserver_url = 'https://h'", "not both"),
        ("[work]\naccount_id = 'acc'\nregoin = 'api'", "did you mean 'region'?"),
        ("[work]\naccount_id = 'acc'\nx = 1", "known are: account_id"),
        ("[werk]\naccount_id = 'acc'", "did you mean 'werk'?"),
        ("[a]\naccount_id = 'acc'\n[b]\naccount_id = 'acc'", "there are: a, b"),
        ("", "has no profiles"),
        ("[work\n", "is not TOML"),
        (b"\xff", "not UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_valid_is_an_error_that_shows_no_value_of_it(
    shell, profiles, content, said
):
    profiles.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = shell("export --profile work --debug", code=1, err=(said, str(profiles)))
    assert SECRET not in done.output
    assert len(shell.emulator.calls) == 0


def test_a_missing_file_is_named_with_the_variable_that_names_another(shell, profiles):
    shell("export --profile work", code=1, err=(str(profiles), "CLOUDINARY_PROFILES_FILE"))


def test_the_file_is_in_the_directory_of_settings_or_where_a_variable_says(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert profiles_file() == Path.home() / ".config" / "cld-user-groups" / "profiles.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert profiles_file() == tmp_path / "cld-user-groups" / "profiles.toml"
    monkeypatch.setenv("CLOUDINARY_PROFILES_FILE", str(tmp_path))
    assert profiles_file() == tmp_path
    with pytest.raises(ProfileError, match="Is a directory"):
        load_profile("work")


def test_the_commands_that_a_report_names_are_for_the_same_account(shell, profiles):
    profiles.write_text(profile(command(PRINTS)))
    shell.emulator.fail("addUserToUserGroup", status=500, times=None)
    words = ["create", "New Team", "--yes", "--reason", "a b"]
    made = shell("--profile work", *words).stdout
    assert "To undo: cld-user-groups --profile work undo " in made
    failed = shell("add", "New Team", "maria@example.com", "--yes", "--profile", "work").stdout
    again = "To resume: cld-user-groups --profile work add 'New Team' maria@example.com"
    assert again in failed.splitlines()
