"""Make each account what its file says: one task an account, any number of workers."""

import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
from celery import Celery
from celery.schedules import crontab

from cld_user_groups import CldProvisioning, Security
from cld_user_groups.errors import APIError, RateLimited, ResponseValidationError
from cld_user_groups.limits import RedisLimiter
from cld_user_groups.membership import (
    AlreadyRunning,
    LeaseError,
    RedisLease,
    StalePlan,
    apply,
    plan,
    read_account,
    read_file,
)

REDIS = os.environ["FLEET_REDIS"]  # redis://:PASSWORD@10.0.0.5/0
FILES = Path(os.environ["FLEET_FILES"])  # ACCOUNT_ID.yaml for each account

# Leaves a part of each account's quota to people and services that use the same limiter.
limiter = RedisLimiter(REDIS, priority="batch")

app = Celery("fleet", broker=REDIS)
app.conf.update(
    task_acks_late=True,  # a task is done when it has ended, not when it has begun
    task_reject_on_worker_lost=True,  # so one whose process was killed is delivered again
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    # When the tasks of a machine that is gone are delivered again: later than the longest run and
    # the longest retry below, or they are delivered twice.
    broker_transport_options={"visibility_timeout": 2 * 3600},
    beat_schedule={"nightly": {"task": "fleet.follow_all", "schedule": crontab(hour=2, minute=0)}},
)


class UnfinishedError(Exception):
    """A run has ended before the account was as its file says."""


def credentials_of(account_id: str) -> Security:
    """Return an account's own key, which is in the environment as KEY_ACCOUNT=KEY:SECRET."""
    key, _, secret = os.environ[f"KEY_{account_id}"].partition(":")
    return Security(provisioning_api_key=key, provisioning_api_secret=secret)


@app.task
def follow_all() -> None:
    for path in sorted(FILES.glob("*.yaml")):
        follow_file.delay(path.stem)


@app.task(
    autoretry_for=(
        AlreadyRunning,
        LeaseError,
        StalePlan,
        UnfinishedError,
        RateLimited,
        APIError,
        ResponseValidationError,
        httpx.TransportError,
    ),
    retry_backoff=60,  # after a minute, two, four, and so on
    retry_backoff_max=1800,
    max_retries=10,
)
def follow_file(account_id: str) -> None:
    with (
        CldProvisioning(
            account_id=account_id, security=credentials_of(account_id), limiter=limiter
        ) as client,
        # Longer than a lease lasts: that of a worker that was killed has ended by then.
        RedisLease(REDIS, account_id, wait=45) as lease,
    ):
        desired = read_file(FILES / f"{account_id}.yaml")
        snapshot = read_account(client, desired)
        now = datetime.now(UTC)
        planned = plan(snapshot, desired, now.date(), now=now)
        result = apply(client, planned, snapshot=snapshot, lease=lease)
    if not result.is_complete:
        raise UnfinishedError(result.detail or f"{len(result.left)} changes are left")
