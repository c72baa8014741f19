"""Evaluate expressions with another client: one a line of input, the outcome a line of output.

Run by test_migration.py with the Python of that client's environment. An outcome is a value, or the
qualified name of the exception that was raised.
"""

import json
import sys
from typing import Any


def names_of(client: str, url: str, account_id: str, key: str, secret: str) -> dict[str, Any]:
    """Return the names that a client's expressions use."""
    if client == "classic":
        import cloudinary
        from cloudinary.provisioning import account, account_config

        cloudinary.config(upload_prefix=url)
        account_config(
            account_id=account_id, provisioning_api_key=key, provisioning_api_secret=secret
        )
        return {"account": account}
    if client == "vendor":
        from cloudinary_account_provisioning import CldProvisioning, Security

        security = Security(provisioning_api_key=key, provisioning_api_secret=secret)
        return {"client": CldProvisioning(account_id=account_id, security=security, server_url=url)}
    import httpx

    return {
        "http": httpx.Client(
            base_url=f"{url}/v1_1/provisioning/accounts/{account_id}",
            auth=(key, secret),
            event_hooks={"response": [httpx.Response.raise_for_status]},
        )
    }


def plain(value: Any) -> Any:
    """Return a value as JSON has it, without what is absent."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_none=True)
    return value


def main(*arguments: str) -> None:
    """Evaluate what comes."""
    names = names_of(*arguments)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            outcome = {"value": plain(eval(request["expression"], names | request["names"]))}
        except Exception as error:
            outcome = {"error": f"{type(error).__module__}.{type(error).__qualname__}"}
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
