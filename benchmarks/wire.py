"""The responses of the benchmarks, with the content that the API was observed to send."""

import json

ACCOUNT_ID = "7c4f1d8e-2b60-4c39-9d1e-5a8f03b6e2d7"
KEY = "419683527045918"
SECRET = "m3Qv-0hTzXb7LrYc2NwKpE9sUaJ"
SERVER = "https://api.cloudinary.com"
GROUP_ID = "7f08f1f1fc910bf1f25274aef11d27"
GROUPS_PATH = f"/v1_1/provisioning/accounts/{ACCOUNT_ID}/user_groups"
GROUP_PATH = f"{GROUPS_PATH}/{GROUP_ID}"

NEW_NAME = {"name": "Designers and Creatives"}
GROUP = json.dumps({"id": GROUP_ID, **NEW_NAME}).encode()
TWO_GROUPS = json.dumps(
    {
        "user_groups": [
            {"id": GROUP_ID, "name": "Designers"},
            {"id": "c2b9e47d1806f35a9d4e72b1c08f63", "name": "Marketing"},
        ]
    }
).encode()


def response_headers(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response."""
    return [
        (b"Date", b"Tue, 27 Sep 2016 08:00:16 GMT"),
        (b"Content-Type", b"application/json; charset=utf-8"),
        (b"Content-Length", str(len(body)).encode()),
        (b"X-Request-Id", b"5f0c1b7e6f3a4d0e9a7b2c8d1e4f6a90"),
        (b"X-FeatureRateLimit-Limit", b"5000"),
        (b"X-FeatureRateLimit-Remaining", b"4999"),
        (b"X-FeatureRateLimit-Reset", b"Tue, 27 Sep 2016 09:00:00 GMT"),
    ]


def groups_with_users(groups: int, users: int) -> bytes:
    """Return the body of a list with extended details, so many users in each group."""

    def user(number: int) -> dict[str, str]:
        return {
            "id": f"{number:030x}",
            "name": f"User Number {number}",
            "email": f"user.{number}@example.com",
        }

    def group(number: int) -> dict[str, object]:
        return {
            "id": f"{number:030x}",
            "name": f"Group {number}",
            "users": [user(number * users + member) for member in range(users)],
            "created_at": "2016-09-27T08:00:16Z",
            "updated_at": "2024-02-29T23:59:59Z",
        }

    return json.dumps({"user_groups": [group(number) for number in range(groups)]}).encode()
