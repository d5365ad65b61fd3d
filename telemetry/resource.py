"""Who speaks: the resource's attributes, as the OTEL_* variables give them."""

from __future__ import annotations

import socket

from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    OTELResourceDetector,
    Resource,
)

SERVICE = "fraud-handler"


def build_resource(slot: int) -> Resource:
    """The instance is the place of the worker, not the process, so that series stay.

    OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are those of the process, as the SDK parses them.
    """
    given = OTELResourceDetector().detect().attributes
    place = given.get(SERVICE_INSTANCE_ID) or socket.gethostname()
    own = {
        SERVICE_NAME: str(given.get(SERVICE_NAME) or SERVICE),
        SERVICE_INSTANCE_ID: f"{place}-{slot}",
    }
    return Resource.create().merge(Resource(own))
