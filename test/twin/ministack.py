"""MiniStack with stand-ins for the resource types it does not know: recorded, and nothing made."""

import os

from ministack.services import sqs
from ministack.services.cloudformation import provisioners


def create(logical_id, props, stack_name):
    name = f"{stack_name}-{logical_id}-stand-in"
    return name, {"Id": name}


for kind in os.environ["STAND_INS"].split(","):
    if kind in provisioners._RESOURCE_HANDLERS:
        raise SystemExit(f"{kind} needs no stand-in any more")
    provisioners._RESOURCE_HANDLERS[kind] = {"create": create, "delete": lambda physical_id, props: None}

# URLs of queues lead through the witness, as every other call does.
sqs.DEFAULT_PORT = os.environ["QUEUE_PORT"]

from ministack.app import main  # noqa: E402

main()
