"""The version of this distribution."""

__version__ = "0.1.0"


def install_command(extra: str = "", options: str = "") -> str:
    """Return how to install this distribution with an extra, in the directory above its checkout.

    A path, never the bare name: on a package index, that name is anybody's to take.
    """
    extras = f"[{extra}]" if extra else ""
    return f'pip install {options}"./cld-user-groups{extras}" (a checkout of the project)'
