"""Writes keys and actions one after the other until it is killed; says what is acknowledged.

Usage: write_forever.py STATE NAME. A line is a kind and an id: ``key``, ``revoked`` or ``action``.
"""

from __future__ import annotations

import itertools
import sys
import time

from stillwatch.access.actions import Action
from stillwatch.access.database import open_database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.keys import KeyStore


def say(kind: str, name: str) -> None:
    sys.stdout.write(f"{kind} {name}\n")
    sys.stdout.flush()


def main() -> None:
    state, name = sys.argv[1:]
    database = open_database(state)
    keys, actions = KeyStore(database), ActionStore(database)
    for i in itertools.count():
        account = f"{name}-{i}"
        _, caller = keys.create(account=account, cluster=f"ring-{name}", terms_version="v1")
        say("key", caller.key_id)
        keys.rotate(caller.key_id, 60)
        action = actions.put(
            Action(
                subject_kind="account", subject=account, kind="mark", reason="r", message="m",
                by="b", expires_at=int(time.time()) + 3600,
            )
        )  # fmt: skip
        say("action", action.id)
        keys.revoke(caller.key_id)
        say("revoked", caller.key_id)


if __name__ == "__main__":
    main()
